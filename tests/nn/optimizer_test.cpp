// Flat parameters and the optimisers over them.
#include "nn/optimizer.h"

#include <gtest/gtest.h>

#include "nn/init.h"
#include "nn/layers.h"
#include "tests/expect_error.h"
#include "tests/numeric.h"

namespace vae::nn::optimizer_test {

using autograd::Tape;

struct Net : Module {
  explicit Net(Options options = {}) : Module(options) { init_normal_fan_in(*this, 1, 1); }
  Var operator()(const Var& x) const { return second(autograd::tanh(first(x))); }
  Linear first{this, "first", 3, 5}, second{this, "second", 5, 1};
};

bool inside(const Tensor& slice, const Tensor& flat) {
  const auto* begin = static_cast<const std::byte*>(flat.raw());
  const auto* at = static_cast<const std::byte*>(slice.raw());
  return at >= begin && at + slice.bytes() <= begin + flat.bytes();
}

/// Mean squared error of the net on fixed data.
Var loss_of(const Net& net, DType dtype) {
  const std::vector<double> x = test::sample(3 * 40, -1, 1);
  std::vector<double> y;
  for (size_t r = 0; r < 40; ++r) y.push_back(std::sin(2 * x[3 * r]) - x[3 * r + 1] * x[3 * r + 2]);
  const Var target(test::tensor_of(y, {40, 1}, dtype));
  return autograd::mean(autograd::square(net(Var(test::tensor_of(x, {40, 3}, dtype))) - target));
}

TEST(FlatParameters, SlicesAreTheParametersAlignedAndGapsAreZero) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    Net net({.dtype = dtype});
    std::vector<std::vector<double>> before;
    for (const auto& p : net.parameters()) before.push_back(to_doubles(p.var.value()));
    FlatParameters flat(net);
    size_t i = 0;
    for (const auto& p : net.parameters()) {
      EXPECT_EQ(to_doubles(p.var.value()), before[i++]) << p.name << " kept its values";
      EXPECT_TRUE(inside(p.var.value(), flat.values())) << p.name;
      EXPECT_EQ(reinterpret_cast<uintptr_t>(p.var.value().raw()) % 64, 0u) << p.name;
    }
    kernels::fill(net.second.bias.value(), 42);
    const std::vector<double> all = to_doubles(flat.values());
    EXPECT_EQ(std::count(all.begin(), all.end(), 42.0), 1) << "the slice is the parameter";
  }
}

TEST(FlatParameters, GapsStayZeroThroughTraining) {
  Net net;
  FlatParameters flat(net);
  Adam adam(flat, {.learning_rate = 0.1, .rule = {.weight_decay = 0.1}, .clip = 0.5});
  for (int step = 0; step < 3; ++step) {
    Tape tape;
    flat.clear_gradients();
    tape.backward(loss_of(net, DType::f32));
    adam.step();
  }
  // Zero the slices: what is left belongs to the gaps.
  for (const auto& p : net.parameters()) p.var.value().zero(), p.var.grad().zero();
  const std::vector<double> zeros(static_cast<size_t>(flat.values().numel()));
  EXPECT_EQ(to_doubles(flat.values()), zeros);
  EXPECT_EQ(to_doubles(flat.gradients()), zeros);
  EXPECT_GT(flat.values().numel(), net.parameter_count());
}

TEST(FlatParameters, GradientsLandInTheBufferAndUnwrittenOnesBecomeZero) {
  Net net({.dtype = DType::f64});
  FlatParameters flat(net);
  kernels::fill(flat.gradients(), 99);  // left over from before
  for (int repeat = 0; repeat < 2; ++repeat) {
    flat.clear_gradients();
    Tape tape;
    tape.backward(autograd::sum(net.first(Var(test::sample_tensor({4, 3}, DType::f64)))));
    EXPECT_TRUE(inside(net.first.weight.grad(), flat.gradients()));
    EXPECT_EQ(to_doubles(net.first.bias.grad()), std::vector<double>(5, 4.0))
        << "overwritten, not added to 99";
    EXPECT_FALSE(net.second.weight.has_grad());
    flat.finish_gradients();
    EXPECT_EQ(to_doubles(net.second.weight.node()->grad), std::vector<double>(5, 0.0));
  }
}

TEST(FlatParameters, AgreeWithPlainParameters) {
  Net plain({.dtype = DType::f64}), packed({.dtype = DType::f64});
  FlatParameters flat(packed);
  for (Net* net : {&plain, &packed}) {
    Tape tape;
    tape.backward(loss_of(*net, DType::f64) + loss_of(*net, DType::f64));
  }
  const auto a = plain.parameters(), b = packed.parameters();
  for (size_t i = 0; i < a.size(); ++i)
    EXPECT_TRUE(test::same_bits(a[i].var.grad(), b[i].var.grad())) << a[i].name;
}

template <class Optimizer>
double learn(typename Optimizer::Settings settings, int steps) {
  Net net;
  FlatParameters flat(net);
  Optimizer optimizer(flat, settings);
  double loss = 0;
  for (int step = 0; step < steps; ++step) {
    Tape tape;
    const Var value = loss_of(net, DType::f32);
    flat.clear_gradients();
    tape.backward(value);
    optimizer.step();
    loss = value.value().item();
  }
  return loss;
}

TEST(Optimizers, LearnASmallRegression) {
  const double start = learn<Sgd>({}, 1);
  EXPECT_GT(start, 0.3);
  EXPECT_LT(learn<Adam>({.learning_rate = 0.02, .rule = {}}, 400), 0.02);
  EXPECT_LT(
      learn<Adam>({.learning_rate = 0.02, .rule = {.form = kernels::AdamForm::chainer}, .clip = 1}, 400),
      0.02);
  EXPECT_LT(learn<Sgd>({.learning_rate = 0.1, .rule = {.momentum = 0.9, .nesterov = true}}, 400), 0.02);
  EXPECT_LT(learn<Sgd>({.learning_rate = 0.1, .rule = {}}, 400), 0.5 * start);
  EXPECT_LT(learn<Adagrad>({.learning_rate = 0.1, .rule = {}}, 400), 0.2 * start);
}

/// A parameter under sum(weight * p), so that its gradient is `weight`.
struct Point : Module {
  Point() : Module({.dtype = DType::f64}) {}
  Var p = parameter("p", {2}, 0.5);
};

/// The parameter after each of two steps with gradients 2 and -0.5, and then 1 and 3.
template <class Optimizer>
std::vector<double> two_steps(typename Optimizer::Settings settings) {
  Point point;
  FlatParameters flat(point);
  Optimizer optimizer(flat, settings);
  std::vector<double> values;
  for (const auto& weight : {std::vector{2.0, -0.5}, {1.0, 3.0}}) {
    Tape tape;
    flat.clear_gradients();
    tape.backward(autograd::sum(point.p * Var(test::tensor_of(weight, {2}, DType::f64))));
    optimizer.step();
    for (const double v : to_doubles(point.p.value())) values.push_back(v);
  }
  return values;
}

// The first two steps by the published formulas, with an eps and a decay that count.
TEST(Optimizers, FirstStepsByTheirFormulas) {
  constexpr double kRate = 0.1, kEps = 0.3, kDecay = 0.2, kBeta1 = 0.8, kBeta2 = 0.9, kMomentum = 0.7;
  const double g[2][2] = {{2, -0.5}, {1, 3}};
  const auto expected = [&](const auto& move) {
    std::vector<double> values(4);
    for (size_t i = 0; i < 2; ++i) {
      double p = 0.5, a = 0, b = 0;
      for (size_t t = 1; t <= 2; ++t)
        p -= kRate * move(g[t - 1][i] + kDecay * p, static_cast<double>(t), a, b),
            values[2 * (t - 1) + i] = p;
    }
    return values;
  };
  for (const bool torch : {true, false}) {
    const auto adam = expected([&](double grad, double t, double& m, double& v) {
      m = kBeta1 * m + (1 - kBeta1) * grad, v = kBeta2 * v + (1 - kBeta2) * grad * grad;
      const double first = 1 - std::pow(kBeta1, t), second = 1 - std::pow(kBeta2, t);
      return torch ? m / first / (std::sqrt(v / second) + kEps)
                   : std::sqrt(second) / first * m / (std::sqrt(v) + kEps);
    });
    const kernels::AdamRule rule{kBeta1, kBeta2, kEps, kDecay,
                                 torch ? kernels::AdamForm::torch : kernels::AdamForm::chainer};
    EXPECT_LE(test::distance(two_steps<Adam>({.learning_rate = kRate, .rule = rule}), adam), 1e-15);
  }
  for (const bool nesterov : {false, true}) {
    const auto sgd = expected([&](double grad, double, double& velocity, double&) {
      velocity = kMomentum * velocity + grad;
      return nesterov ? grad + kMomentum * velocity : velocity;
    });
    EXPECT_LE(
        test::distance(two_steps<Sgd>({.learning_rate = kRate, .rule = {kMomentum, kDecay, nesterov}}), sgd),
        1e-15);
  }
  const auto adagrad = expected([&](double grad, double t, double& sum, double&) {
    sum = (t == 1 ? 0.4 : sum) + grad * grad;
    return grad / (std::sqrt(sum) + kEps);
  });
  EXPECT_LE(
      test::distance(two_steps<Adagrad>({.learning_rate = kRate, .rule = {kEps, kDecay}, .initial_sum = 0.4}),
                     adagrad),
      1e-15);
}

TEST(Optimizers, ClippingLimitsTheStepAndReportsTheNorm) {
  const auto moved = [](double clip, double& norm) {
    Net net({.dtype = DType::f64});
    FlatParameters flat(net);
    Sgd sgd(flat, {.learning_rate = 1, .rule = {}, .clip = clip});
    const std::vector<double> before = to_doubles(flat.values());
    Tape tape;
    tape.backward(100.0 * loss_of(net, DType::f64));
    sgd.step();
    norm = sgd.gradient_norm();
    const std::vector<double> after = to_doubles(flat.values());
    double square = 0;
    for (size_t i = 0; i < after.size(); ++i) square += (after[i] - before[i]) * (after[i] - before[i]);
    return std::sqrt(square);
  };
  double norm = 0;
  const double free = moved(0, norm);
  EXPECT_NEAR(free, norm, 1e-9);
  EXPECT_GT(norm, 1);
  EXPECT_NEAR(moved(0.25, norm), 0.25, 1e-9);
  EXPECT_NEAR(norm, free, 1e-9) << "the norm before clipping";
  EXPECT_NEAR(moved(1e9, norm), free, 1e-9);
}

TEST(Optimizers, ClippingByElementLimitsEachStep) {
  Net net({.dtype = DType::f64});
  FlatParameters flat(net);
  Sgd sgd(flat, {.learning_rate = 1, .rule = {}, .clip = {0, 0.125}});
  const std::vector<double> before = to_doubles(flat.values());
  Tape tape;
  tape.backward(100.0 * loss_of(net, DType::f64));
  sgd.step();
  const std::vector<double> after = to_doubles(flat.values()), g = to_doubles(flat.gradients());
  for (size_t i = 0; i < after.size(); ++i)
    EXPECT_NEAR(before[i] - after[i], std::clamp(g[i], -0.125, 0.125), 1e-12);
  EXPECT_TRUE(std::any_of(g.begin(), g.end(), [](double v) { return std::abs(v) > 0.125; }));
}

TEST(WeightAverage, FollowsTheWeightsAndChangesPlacesWithThem) {
  Net net({.dtype = DType::f64});
  FlatParameters flat(net);
  WeightAverage average(flat, 0.75);
  const std::vector<double> start = to_doubles(flat.values());
  EXPECT_EQ(to_doubles(average.values()), start);
  kernels::fill(flat.values(), 2);
  average.update();
  average.update();
  std::vector<double> expected = start;
  for (double& e : expected) e = 0.5625 * e + 0.4375 * 2;
  EXPECT_LE(test::distance(to_doubles(average.values()), expected), 1e-15);
  const std::vector<double> mean = to_doubles(average.values()), now = to_doubles(flat.values());
  average.swap();
  EXPECT_EQ(to_doubles(flat.values()), mean);
  EXPECT_EQ(to_doubles(average.values()), now);
  average.swap();
  EXPECT_EQ(to_doubles(flat.values()), now);
  EXPECT_EQ(to_doubles(average.values()), mean);
  test::expect_error(ErrorKind::usage, "decay", [&] { WeightAverage(flat, 1.5); });
}

TEST(Optimizers, StateHasTheDocumentedNames) {
  Net net;
  FlatParameters flat(net);
  Adam adam(flat, {});
  Sgd sgd(flat, {});
  StateDict state;
  adam.add_state(state, "adam");
  sgd.add_state(state, "sgd");
  Adagrad adagrad(flat, {});
  adagrad.add_state(state, "adagrad");
  WeightAverage average(flat, 0.999);
  average.add_state(state, "average.mean");
  std::vector<std::string> names;
  for (const auto& [name, tensor] : state.entries()) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"adam.learning_rate", "adam.m", "adam.v", "adam.t",
                                             "sgd.learning_rate", "sgd.velocity", "adagrad.learning_rate",
                                             "adagrad.sum", "average.mean"}));
  flat.finish_gradients();
  adam.step();
  EXPECT_EQ(state.find("adam.t")->item(), 1);
  adam.set_learning_rate(0.125);
  EXPECT_EQ(adam.learning_rate(), 0.125);
  EXPECT_EQ(state.find("adam.learning_rate")->item(), 0.125);
}

TEST(Optimizers, RefuseBadSettings) {
  Net net;
  FlatParameters flat(net);
  for (const double bad : {0.0, -1.0, std::nan("")}) {
    test::expect_error(ErrorKind::usage, "learning rate",
                       [&] { Adam(flat, {.learning_rate = bad, .rule = {}}); });
    test::expect_error(ErrorKind::usage, "learning rate",
                       [&] { Sgd(flat, {.learning_rate = bad, .rule = {}}); });
  }
  for (const double bad : {-1.0, std::nan("")})
    test::expect_error(ErrorKind::usage, "clip", [&] { Adam(flat, {.rule = {}, .clip = bad}); }),
        test::expect_error(ErrorKind::usage, "clip",
                           [&] {
                             Adam(flat, {.rule = {}, .clip = {0, bad}});
                           }),
        test::expect_error(ErrorKind::usage, "sum of squares",
                           [&] { Adagrad(flat, {.rule = {}, .initial_sum = bad}); });
}

}  // namespace vae::nn::optimizer_test
