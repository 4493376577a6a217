// The net itself must hold: wrong derivatives and functions without a case are caught.
#include "autograd/gradcheck.h"

#include <gtest/gtest.h>

#include "tensor/recorder.h"
#include "tests/autograd/cases/catalogue.h"
#include "tests/expect_error.h"
#include "tests/numeric.h"

namespace vae::autograd {
namespace {

/// The square of x recorded with derivative `slope` x; the right slope is 2.
Var square_with_slope(const Var& x, double slope) {
  const Tensor y = square(Var(x.value())).value();
  return record("square_with_slope", y, {x}, [xv = x.value(), slope](const Backward& b) {
    b.give(0, (Var(b.dy()) * affine(Var(xv), slope, 0)).value());
  });
}

Var parameter(Shape shape) { return Var(test::sample_tensor(shape, DType::f64), true); }

TEST(Gradcheck, CatchesAWrongDerivative) {
  const Var x = parameter({4, 5});
  const auto check = [&](double slope) {
    return gradcheck([&] { return square_with_slope(x, slope); }, {x});
  };
  EXPECT_TRUE(check(2).ok);
  EXPECT_FALSE(check(2 + 1e-5).ok);
  EXPECT_FALSE(check(-2).ok);
  EXPECT_FALSE(check(std::nan("")).ok);
  EXPECT_NE(check(3).where.find("input 0 element"), std::string::npos);
}

TEST(Gradcheck, CatchesAForgottenInput) {
  const Var x = parameter({3}), y = parameter({3});
  const auto forgets_y = [&] {
    const Tensor product = (Var(x.value()) * Var(y.value())).value();
    return record("forgets_y", product, {x, y},
                  [yv = y.value()](const Backward& b) { b.give(0, (Var(b.dy()) * Var(yv)).value()); });
  };
  EXPECT_TRUE(gradcheck(forgets_y, {x}).ok);
  EXPECT_FALSE(gradcheck(forgets_y, {x, y}).ok);
}

TEST(Gradcheck, CatchesANonFiniteValue) {
  const Var x(test::tensor_of({-1, 1}, {2}, DType::f64), true);
  EXPECT_FALSE(gradcheck([&] { return log(x); }, {x}).ok);
}

TEST(Gradcheck, RestoresTheInputsAndRefusesWhatIsNotF64) {
  const Var x = parameter({4, 5});
  const Tensor before = x.value().clone();
  gradcheck([&] { return exp(x); }, {x});
  EXPECT_TRUE(test::same_bits(before, x.value()));
  const Var single(test::sample_tensor({3}, DType::f32), true);
  test::expect_misuse("gradcheck: weight is f32 [3] on cpu: differences need f64", [&] {
    gradcheck([&] { return exp(single); }, NamedInputs{{"weight", single}});
  });
  test::expect_misuse("gradcheck: bias is undefined", [&] {
    gradcheck([&] { return exp(x); }, NamedInputs{{"weight", x}, {"bias", {}}});
  });
}

// ---- planted faults

/// The square of x, whose derivative is added or set as `write` says, times `again` where there is a gradient
/// already.
Var square_that(const Var& x, bool ignores_add, double again) {
  return record("square_that", square(Var(x.value())).value(), {x},
                [xv = x.value(), ignores_add, again](const Backward& b) {
                  const Slot dx = b.into(0);
                  const bool second = dx.write == kernels::Write::add;
                  kernels::map_bwd(kernels::Map::mul, {}, 0, b.dy(),
                                   std::vector{xv, affine(Var(xv), second ? 2 * again : 2, 0).value()}, {},
                                   dx.tensor, ignores_add ? kernels::Write::set : dx.write);
                });
}

TEST(Gradcheck, CatchesAFunctionThatDoesNotAdd) {
  const Var x = parameter({4, 5});
  EXPECT_TRUE(gradcheck([&] { return square_that(x, false, 1); }, {x}).ok);
  const std::string fault =
      "'square_that' does not add to the gradient that its input 0 has already: its derivative must do what "
      "Slot::write says";
  const GradcheckResult set = gradcheck([&] { return square_that(x, true, 1); }, {x});
  EXPECT_EQ(set.problems, std::vector<std::string>{fault}) << "each use alone is right";
  EXPECT_FALSE(set.ok);
  // In the middle of a net, and with another factor on top of a gradient.
  EXPECT_EQ(gradcheck([&] { return exp(square_that(0.5 * x, true, 1)); }, {x}).problems,
            std::vector<std::string>{fault});
  EXPECT_EQ(gradcheck([&] { return square_that(x, false, 3); }, {x}).problems,
            std::vector<std::string>{fault});
}

TEST(Gradcheck, CatchesAWrongFactorOnTheSecondUse) {
  const Var x = parameter({3});
  const auto product = [&](double of_second) {
    return record("product", (Var(x.value()) * Var(x.value())).value(), {x, x},
                  [&x, of_second](const Backward& b) {
                    const Var part = Var(b.dy()) * Var(x.value());
                    b.give(0, part.value()), b.give(1, (of_second * part).value());
                  });
  };
  EXPECT_TRUE(gradcheck([&] { return product(1); }, {x}).ok);
  EXPECT_FALSE(gradcheck([&] { return product(0.5); }, {x}).ok);
}

TEST(Gradcheck, NothingCheckedIsAProblem) {
  const Var x = parameter({3}), constant(x.value()), none = parameter({0, 3});
  const std::string nothing =
      "nothing was checked: the result of f depends on no input that needs a gradient";
  EXPECT_EQ(gradcheck([&] { return exp(constant); }, {constant}).problems, std::vector<std::string>{nothing});
  EXPECT_EQ(gradcheck([&] { return exp(constant); }, {x}).problems, std::vector<std::string>{nothing});
  for (const std::vector<Var>& inputs : {std::vector<Var>{}, {constant}, {none}}) {
    const GradcheckResult result = gradcheck([&] { return sum(exp(x)) + sum(none); }, inputs);
    EXPECT_FALSE(result.ok);
    EXPECT_EQ(result.problems,
              std::vector<std::string>{
                  "nothing was checked: no input that needs a gradient has an element where f has a "
                  "derivative"});
  }
}

TEST(Gradcheck, AFunctionThatMovesOnIsAProblem) {
  const Var x = parameter({3});
  double calls = 0;
  const GradcheckResult result = gradcheck([&] { return ++calls * x; }, {x});
  ASSERT_EQ(result.problems.size(), 1u);
  EXPECT_TRUE(result.problems[0].starts_with("f is no function of its inputs alone: a second call gave "))
      << result.str();
}

TEST(Gradcheck, NamesWhatIsWrong) {
  const Var w = parameter({4, 5});
  const GradcheckResult result =
      gradcheck([&] { return square_with_slope(w, 3); }, NamedInputs{{"encoder.hidden.weight", w}});
  ASSERT_EQ(result.problems.size(), 4u) << result.str();
  EXPECT_TRUE(result.problems[0].starts_with("WRONG encoder.hidden.weight element 0: gradient "))
      << result.str();
  EXPECT_EQ(result.problems[3], "WRONG encoder.hidden.weight: 17 more elements");
  EXPECT_TRUE(result.str().starts_with("FAILED: 20 elements compared, worst error ")) << result.str();
}

// ---- kinks

TEST(Gradcheck, AKinkNearAnElementIsTriedWithSmallerSteps) {
  // 4e-6 from the kink: steps of 1e-5 cross it, steps of 1e-6 do not.
  const Var x(test::tensor_of({4e-6, -4e-6, 1, 4e-7}, {4}, DType::f64), true);
  const GradcheckResult result = gradcheck([&] { return relu(x); }, {x});
  EXPECT_TRUE(result.ok) << result.str();
  EXPECT_EQ(result.checked, 4);
  EXPECT_TRUE(result.kinks.empty());
}

TEST(Gradcheck, AKinkIsToldAndIsNoMistake) {
  const Var x(test::tensor_of({0, 1, -1}, {3}, DType::f64), true);
  const GradcheckResult result = gradcheck([&] { return relu(x) + abs(x); }, NamedInputs{{"x", x}});
  EXPECT_TRUE(result.ok) << result.str();
  EXPECT_EQ(result.checked, 2);
  ASSERT_EQ(result.kinks.size(), 1u);
  EXPECT_TRUE(result.kinks[0].starts_with("kink at x element 0: ")) << result.str();
  EXPECT_NE(result.str().find("\nkink at x"), std::string::npos);
  // A wrong gradient at a kink is wrong; and where all is kinks, nothing was checked.
  const Var zero(Tensor::zeros({1}, DType::f64), true);
  const auto wrong = [&] {
    return record("wrong", relu(Var(zero.value())).value(), {zero},
                  [](const Backward& b) { b.give(0, (5.0 * Var(b.dy())).value()); });
  };
  EXPECT_FALSE(gradcheck(wrong, {zero}).ok);
  EXPECT_FALSE(gradcheck([&] { return relu(zero); }, {zero}).ok);
}

/// Layers of ReLUs on rows of data, biases that start at zero: kinks all over the place.
TEST(Gradcheck, ANetOfRelusPasses) {
  for (const uint64_t seed : {1, 2, 3, 4, 5}) {
    const auto draw = [&](Shape shape, double width, uint64_t stream) {
      return Var(test::sample_tensor(shape, DType::f64, kCpu, -width, width, 10 * seed + stream), true);
    };
    const Var x(test::sample_tensor({64, 20}, DType::f64, kCpu, -1, 1, seed)),
        w1 = draw({40, 20}, 0.3, 1), w2 = draw({40, 40}, 0.3, 2), w3 = draw({5, 40}, 0.3, 3);
    const Var b1(Tensor::zeros({40}, DType::f64), true), b2(Tensor::zeros({40}, DType::f64), true);
    const GradcheckResult result =
        gradcheck([&] { return linear(relu(linear(relu(linear(x, w1, b1)), w2, b2)), w3, {}); },
                  NamedInputs{{"w1", w1}, {"b1", b1}, {"w2", w2}, {"b2", b2}, {"w3", w3}});
    EXPECT_TRUE(result.ok) << result.str();
    EXPECT_GT(result.checked, 1000);
  }
}

// ---- cases of users

Case square_case(std::function<Var(const std::vector<Var>&)> f) {
  return {
      .op = "square_with_slope", .name = "square_with_slope/4x5", .inputs = {{{4, 5}}}, .f = std::move(f)};
}

TEST(CheckCase, PassesARightFunctionAndNamesWhatAWrongOneBreaks) {
  const auto problems = [](const Case& sample) { return check_case(sample, {kCpu}).str(); };
  EXPECT_EQ(problems(square_case([](const std::vector<Var>& x) { return square_with_slope(x[0], 2); })), "");
  const auto expect = [&](const std::string& words, const Case& sample) {
    EXPECT_NE(problems(sample).find("square_with_slope/4x5: " + words), std::string::npos)
        << problems(sample);
  };
  expect("WRONG input 0 element 0: gradient",
         square_case([](const std::vector<Var>& x) { return square_with_slope(x[0], 3); }));
  expect("does not record 'square_with_slope'",
         square_case([](const std::vector<Var>& x) { return square(x[0]); }));
  expect("'square_that' does not add",
         square_case([](const std::vector<Var>& x) { return square_that(x[0], true, 1); }));
  // Where there are no differences to compare, too: a surrogate.
  Case surrogate = square_case([](const std::vector<Var>& x) { return square_that(x[0], true, 1); });
  surrogate.surrogate = true;
  expect("gradient of input 0 in f32 on cpu is not added to the one that is there", surrogate);
  // In single precision alone: a number that f64 does not feel.
  expect("value in f32 on cpu is off by", square_case([](const std::vector<Var>& x) {
           return square_with_slope(x[0], 2) + (x[0].value().dtype() == DType::f32 ? 1e-3 : 0.0);
         }));
  int calls = 0;
  expect("value has other bits a second time on cpu", square_case([&](const std::vector<Var>& x) {
           return square_with_slope(x[0], 2) +
                  (x[0].value().dtype() == DType::f32 ? 1e-6 * (++calls % 7) : 0.0);
         }));
  expect("value has other bits in f64 with 3 threads", square_case([](const std::vector<Var>& x) {
           return square_with_slope(x[0], 2) + (num_threads() == 3 ? 1e-15 : 0.0);
         }));
  expect("value has other bits recorded and replayed on cpu", square_case([](const std::vector<Var>& x) {
           return square_with_slope(x[0], 2) + (Recorder::active() ? 1e-6 : 0.0);
         }));
}

TEST(OpObserver, ReportsAFunctionWithoutACase) {
  const OpObserver observer;
  const Tape tape;
  const Var x = parameter({2, 2});
  square_with_slope(exp(x), 2);
  EXPECT_EQ(uncovered_ops(observer.names(), catalogue()), std::vector<std::string>{"square_with_slope"});
}

TEST(OpObserver, SeesOnlyWhatIsRecordedWhileItLives) {
  const Var x = parameter({2, 2});
  {
    const Tape tape;
    exp(x);
  }
  const OpObserver observer;
  tanh(x);  // no tape
  EXPECT_TRUE(observer.names().empty());
  const Tape tape;
  tanh(Var(x.value()));  // no gradient wanted
  EXPECT_TRUE(observer.names().empty());
  sigmoid(x);
  EXPECT_EQ(observer.names(), std::set<std::string>{"sigmoid"});
  test::expect_error(ErrorKind::internal, "one OpObserver", [] { OpObserver second; });
  sigmoid(x);  // the refused one left the first in place
  EXPECT_EQ(observer.names().size(), 1u);
}

}  // namespace
}  // namespace vae::autograd
