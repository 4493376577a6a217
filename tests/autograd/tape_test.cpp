// The tape: order, accumulation, hooks, life of tensors.
#include "autograd/tape.h"

#include <gtest/gtest.h>

#include "autograd/ops.h"
#include "tensor/allocator.h"
#include "tensor/recorder.h"
#include "tests/expect_error.h"
#include "tests/numeric.h"

namespace vae::autograd::tape_test {

using Values = std::vector<double>;

Var parameter(const Values& values) {
  return Var(test::tensor_of(values, {static_cast<int64_t>(values.size())}, DType::f64), true);
}

/// A copy of x whose backward step notes its name.
Var noted(const char* name, const Var& x, std::string& notes) {
  return record("noted", x.value().clone(), {x}, [name, &notes](const Backward& b) {
    notes += name;
    b.give(0, b.dy());
  });
}

TEST(Tape, SumsAndScalesRunNoKernelBackward) {
  const Var x = parameter({1, 2, 3}), y = parameter({4, 5, 6}), one_number = parameter({7});
  Tape tape;
  const Var rows = reshape(2 * x - y, {3, 1}) + one_number;
  const Var loss = scaled_sum(sum(rows, kernels::Axis::columns(3, 1)), 0.5) + scaled_sum(x, 3);
  const Tensor one = test::tensor_of({1}, {}, DType::f64);
  Recorder recorder;
  tape.backward(loss, one);
  EXPECT_TRUE(recorder.take().empty());
}

TEST(Tape, UniformGradientsAreSpreadWhereTheyAreNeeded) {
  const auto gradients = [](const Var& x, const Var& y, const Var& number, const std::function<Var()>& loss) {
    for (const Var* each : {&x, &y, &number}) each->node()->state = detail::GradState::none;
    Tape tape;
    tape.backward(loss());
    std::vector<Values> all;
    for (const Var* each : {&x, &y, &number}) all.push_back(to_doubles(each->grad()));
    return all;
  };
  const Var x = parameter({1, 2, 3}), y = parameter({4, 5, 6}), number = parameter({7});
  // Linear alone, twice the same operand, and a broadcast number: one for each of its rows.
  EXPECT_EQ(gradients(x, y, number, [&] { return scaled_sum(2 * x - y + x + number, 0.5); }),
            (std::vector<Values>{{1.5, 1.5, 1.5}, {-0.5, -0.5, -0.5}, {1.5}}));
  // Beside a gradient that is none, before it and behind it.
  EXPECT_EQ(gradients(x, y, number, [&] { return sum(x) + sum(x * y) + sum(2 * x) + sum(number) + sum(y); }),
            (std::vector<Values>{{7, 8, 9}, {2, 3, 4}, {1}}));
  // Through a function that is not linear, with the factor of the sum.
  EXPECT_EQ(gradients(x, y, number, [&] { return scaled_sum(square(x), -2) + sum(y) + sum(number); })[0],
            (Values{-4, -8, -12}));
  // Into a sum of rows, whose dy is one number.
  EXPECT_EQ(gradients(x, y, number,
                      [&] {
                        return sum(squared_error(reshape(x, {1, 3}), reshape(y, {1, 3}))) + sum(number);
                      })[1],
            (Values{6, 6, 6}));
}

TEST(Tape, APartThatStandsTwiceInAConcatenationGetsBothGradients) {
  const Var x = parameter({1, 2}), weights = parameter({1, 10, 100, 1000});
  Tape tape;
  const Var row = reshape(x, {1, 2});
  tape.backward(sum(concat({row, row}) * reshape(weights, {1, 4})));
  EXPECT_EQ(to_doubles(x.grad()), (Values{101, 1010}));
}

TEST(Tape, WalksBackInReverse) {
  std::string notes;
  const Var x = parameter({1, 2});
  Tape tape;
  const Var a = noted("a", x, notes), b = noted("b", a, notes), c = noted("c", x, notes);
  const Var loss = sum(noted("d", b + c, notes));
  noted("unused", x, notes);
  EXPECT_EQ(tape.size(), 7u);
  tape.backward(loss);
  EXPECT_EQ(notes, "dcba") << "what does not lead to the loss is passed over";
  EXPECT_EQ(tape.size(), 0u);
  EXPECT_EQ(to_doubles(x.grad()), (Values{2, 2}));
}

TEST(Tape, AddsTheGradientsOfAllUses) {
  const Var x = parameter({1, 2, 3});
  {
    Tape tape;
    const Var a = x + x;
    tape.backward(sum(a * a + x));
  }
  EXPECT_EQ(to_doubles(x.grad()), (Values{9, 17, 25}));
  {
    Tape tape;
    tape.backward(sum(x));  // adds to what is there
  }
  EXPECT_EQ(to_doubles(x.grad()), (Values{10, 18, 26}));
  Var(x).clear_grad();
  EXPECT_FALSE(x.has_grad());
  Tape tape;
  tape.backward(sum(x));
  EXPECT_EQ(to_doubles(x.grad()), (Values{1, 1, 1}));
}

TEST(Tape, SharedGradientsStayIntact) {
  // dy is handed on without a copy to both sides of an addition; adding to one must not change the other.
  const Var x = parameter({1, 2}), y = parameter({3, 4});
  Tape tape;
  const Var a = square(x);
  const Var early = 3.0 * x;
  tape.backward(sum((x + y) + early + a));
  EXPECT_EQ(to_doubles(x.grad()), (Values{6, 8}));
  EXPECT_EQ(to_doubles(y.grad()), (Values{1, 1}));
}

TEST(Tape, TakesOverASharedGradientThatNobodyElseHolds) {
  // x + f(x): by the time f adds its part, the other side has let go of the gradient of the sum.
  const Var x = parameter({1, 2});
  const void* handed = nullptr;
  Tape tape;
  const Var sides = x + 3.0 * square(x);
  const Var y = record("noted", sides.value().clone(), {sides}, [&](const Backward& b) {
    handed = b.dy().raw();
    b.give(0, b.dy());
  });
  tape.backward(sum(y));
  EXPECT_EQ(to_doubles(x.grad()), (Values{7, 13}));
  EXPECT_EQ(x.grad().raw(), handed);
}

TEST(Tape, SharedGradientOfAReshape) {
  const Var x = parameter({1, 2, 3, 4});
  Tape tape;
  const Var m = reshape(x, {2, 2});
  tape.backward(sum(m) + sum(2.0 * x));
  EXPECT_EQ(x.grad().shape(), (Shape{4}));
  EXPECT_EQ(to_doubles(x.grad()), (Values{3, 3, 3, 3}));
}

TEST(Tape, LossThatIsALeaf) {
  const Var x(Tensor::scalar(3.0), true);
  Tape tape;
  tape.backward(x);
  EXPECT_EQ(x.grad().item(), 1);
}

TEST(Tape, NothingIsRecordedWithoutATapeOrAParameter) {
  const Var x = parameter({1, 2});
  EXPECT_FALSE(exp(x).needs_grad());
  Tape tape;
  EXPECT_FALSE(exp(Var(x.value())).needs_grad());
  EXPECT_EQ(tape.size(), 0u);
  EXPECT_TRUE(exp(x).needs_grad());
  EXPECT_EQ(tape.size(), 1u);
}

TEST(Tape, HookIsCalledOnceWhenTheGradientIsFinal) {
  Var x = parameter({1, 2}), y = parameter({1, 2});
  std::vector<Values> at_hook;
  x.on_final([&] { at_hook.push_back(to_doubles(x.grad())); });
  std::string order;
  y.on_final([&] { order += x.has_grad() ? "after" : "before"; });
  for (int walk = 1; walk <= 2; ++walk) {
    x.clear_grad(), y.clear_grad();
    Tape tape;
    const Var early = square(x);
    tape.backward(sum(early * x + 2.0 * x + y));
    ASSERT_EQ(at_hook.size(), static_cast<size_t>(walk));
    EXPECT_EQ(at_hook.back(), (Values{5, 14}));
    EXPECT_EQ(to_doubles(x.grad()), at_hook.back()) << "nothing is added after the hook";
  }
  EXPECT_EQ(order, "beforebefore") << "y is final as soon as the last addition has been passed";
}

/// Gradients of the biases of `count` layers, each used twice as a bias and, every third, once more behind
/// it; `flat`: in buffers of their own, as those of a FlatParameters are. `hooked`: what a hook finds.
std::vector<Values> bias_gradients(Device device, size_t count, bool flat, std::vector<Values>& hooked) {
  std::vector<Var> biases;
  hooked.assign(count, {});
  for (size_t i = 0; i < count; ++i) {
    const Shape shape{static_cast<int64_t>(1 + i)};
    Var& bias = biases.emplace_back(test::sample_tensor(shape, DType::f64, device, -1, 1, i), true);
    if (flat) {
      const Tensor buffers = Tensor::empty({2, shape[0]}, DType::f64, device);
      bias.rebind(buffers.slice(0, 1).reshape(shape), buffers.slice(1, 2).reshape(shape));
    }
    if (i % 4 == 0)
      bias.on_final([&hooked, i, node = bias.node().get()] { hooked[i] = to_doubles(node->grad); });
  }
  Tape tape;
  Var loss;
  for (int pass = 0; pass < 2; ++pass)
    for (size_t i = 0; i < count; ++i) {
      const auto stream = static_cast<uint64_t>(100 + 2 * i + pass);
      const Var x(test::sample_tensor({pass ? 7 : 1100, 2}, DType::f64, device, -1, 1, stream)),
          w(test::sample_tensor({static_cast<int64_t>(1 + i), 2}, DType::f64, device, -1, 1, stream));
      const Var y = square(linear(x, w, biases[i])), term = sum(i % 3 ? y : y * biases[i]);
      loss = loss.defined() ? loss + term : term;
    }
  tape.backward(loss);
  std::vector<Values> gradients;
  for (const Var& bias : biases) gradients.push_back(to_doubles(bias.grad()));
  return gradients;
}

TEST(Tape, GradientsOfBiasesThatWaitForOneAnotherAreComplete) {
  constexpr size_t kCount = 21;  // more than wait together
  std::vector<Values> hooked, none;
  const std::vector<Values> expected = bias_gradients(kCpu, kCount, false, none);
  for (const Device device : test::devices()) {
    const std::vector<Values> found = bias_gradients(device, kCount, true, hooked);
    for (size_t i = 0; i < kCount; ++i) {
      EXPECT_LE(test::distance(found[i], expected[i]), 1e-12) << i << " on " << device.str();
      EXPECT_EQ(hooked[i], i % 4 ? Values{} : found[i]) << "the hook comes when the gradient is final";
    }
  }
}

TEST(Tape, HookIsCalledThoughAUseLeadsNowhere) {
  Var x = parameter({1, 2});
  int calls = 0;
  x.on_final([&] { ++calls; });
  Tape tape;
  const Var loss = sum(x);
  exp(x);
  tape.backward(loss);
  EXPECT_EQ(calls, 1);
}

TEST(Tape, NestedTapesRecordApart) {
  const Var x = parameter({3});
  Tape outer;
  const Var y = square(x);
  {
    Tape inner;
    const Var loss = sum(5.0 * x);
    EXPECT_EQ(inner.size(), 2u);
    inner.backward(loss);
    EXPECT_EQ(to_doubles(x.grad()), Values{5});
  }
  EXPECT_EQ(outer.size(), 1u);
  Var(x).clear_grad();
  outer.backward(sum(y));
  EXPECT_EQ(to_doubles(x.grad()), Values{6});
}

TEST(Tape, AbandonedTapesLeaveHooksInOrder) {
  Var x = parameter({3});
  int calls = 0;
  x.on_final([&] { ++calls; });
  {
    Tape abandoned;
    sum(square(x));
  }
  EXPECT_FALSE(x.has_grad());
  Tape outer;
  const Var loss = sum(square(x));
  {
    Tape abandoned_inside;
    sum(exp(x));
  }
  outer.backward(loss);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(to_doubles(x.grad()), Values{6});
}

TEST(Tape, SurvivesAThrowingBackwardFunction) {
  Var x = parameter({3});
  int calls = 0;
  x.on_final([&] { ++calls; });
  {
    Tape tape;
    const Var y = record("throws", x.value().clone(), {x},
                         [](const Backward&) { fail(ErrorKind::numeric, "planted"); });
    test::expect_error(ErrorKind::numeric, "planted", [&] { tape.backward(sum(square(y))); });
  }
  EXPECT_FALSE(square(x).needs_grad()) << "a tape is left";
  Tape tape;
  tape.backward(sum(x));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(to_doubles(x.grad()), Values{1});
}

TEST(Tape, FreesTensorsAsTheWalkPasses) {
  CachingAllocator& memory = allocator(kCpu);
  constexpr int64_t n = 1 << 16;
  constexpr size_t bytes = n * 8;
  const Var x(Tensor::zeros({n}, DType::f64), true);
  const size_t before = memory.stats().live_bytes;
  Tape tape;
  const auto chain = [&] {
    Var y = x;
    for (int i = 0; i < 20; ++i) y = tanh(y);
    return sum(y);
  };
  const Var loss = chain();
  const size_t recorded = memory.stats().live_bytes;
  EXPECT_GE(recorded - before, 20 * bytes);
  memory.reset_peak();
  tape.backward(loss);
  // At any time: what is still saved, and the gradients of one record.
  EXPECT_LE(memory.stats().peak_bytes, recorded + 3 * bytes);
  EXPECT_LE(memory.stats().live_bytes, before + bytes + 4096) << "the gradient of x alone is left";
}

TEST(Tape, AChainOf100000FunctionsNeedsNoStack) {
  const Var x = parameter({1});
  {
    Tape tape;
    Var y = x;
    for (int i = 0; i < 100000; ++i) y = y + x;
    EXPECT_EQ(y.value().item(), 100001);
    tape.backward(sum(y));
    EXPECT_EQ(to_doubles(x.grad()), Values{100001});
  }
  Tape abandoned;
  Var y = x;
  for (int i = 0; i < 100000; ++i) y = y + x;
}

}  // namespace vae::autograd::tape_test
