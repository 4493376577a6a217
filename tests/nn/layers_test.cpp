// Layers, initialisation, and the tree of modules.
#include "nn/layers.h"

#include <gtest/gtest.h>

#include "nn/init.h"
#include "tests/expect_error.h"
#include "tests/numeric.h"

namespace vae::nn {
namespace {

using test::distance;

struct Block : Module {
  Block(Module* parent, const std::string& name, int64_t width = 4)
      : Module(parent, name), linear(this, "linear", width, 3) {}
  Linear linear;
  BatchNorm norm{this, "norm", 3};
  Dropout dropout{this, "dropout", 0.5, "noise"};
};

struct Tree : Module {
  using Module::Module;
  Block left{this, "left"};
  Var scale = parameter("scale", {2});
  Block right{this, "right", 6};
};

template <class Entries>
std::vector<std::string> names_of(const Entries& entries) {
  std::vector<std::string> names;
  for (const auto& entry : entries) names.push_back(entry.name);
  return names;
}

TEST(Module, NamesParametersAndBuffersByPath) {
  Tree tree;
  EXPECT_EQ(names_of(tree.parameters()),
            (std::vector<std::string>{"scale", "left.linear.weight", "left.linear.bias", "left.norm.weight",
                                      "left.norm.bias", "right.linear.weight", "right.linear.bias",
                                      "right.norm.weight", "right.norm.bias"}));
  EXPECT_EQ(names_of(tree.left.buffers()),
            (std::vector<std::string>{"norm.running_mean", "norm.running_var", "dropout.calls"}));
  EXPECT_EQ(tree.buffers().size(), 6u);
  EXPECT_EQ(tree.parameter_count(), 2 + (12 + 3 + 6) + (18 + 3 + 6));
}

TEST(Module, AddsItsLiveStateUnderAPrefix) {
  Tree tree;
  StateDict state;
  tree.add_state(state, "model");
  EXPECT_EQ(state.entries().size(), 15u);
  ASSERT_TRUE(state.find("model.left.norm.running_var"));
  kernels::fill(*state.find("model.right.linear.weight"), 7);
  EXPECT_EQ(to_doubles(tree.right.linear.weight.value())[0], 7) << "the entries are the live storage";
  test::expect_error(ErrorKind::internal, "model.scale", [&] { tree.add_state(state, "model"); });
  StateDict bare;
  tree.add_state(bare);
  EXPECT_TRUE(bare.find("scale"));
}

// A child without a name is no level of the paths.
TEST(Module, ChildrenWithoutANameAreTransparent) {
  struct Root : Module {
    Block block{this, ""};
  } root;
  EXPECT_EQ(root.parameters()[0].name, "linear.weight");
  EXPECT_EQ(root.buffers()[0].name, "norm.running_mean");
}

TEST(Module, TrainingModeReachesTheWholeTree) {
  Tree tree;
  EXPECT_TRUE(tree.left.norm.training());
  tree.set_training(false);
  EXPECT_FALSE(tree.left.norm.training() || tree.right.dropout.training() || tree.training());
}

// A scope of test mode ends with training; what was frozen in the tree stays out of it.
TEST(Module, FrozenPartsStayInTestMode) {
  Tree tree;
  tree.left.freeze();
  { const TestMode test(tree); }
  EXPECT_TRUE(tree.training() && tree.right.norm.training());
  EXPECT_FALSE(tree.left.training() || tree.left.norm.training() || tree.left.dropout.training());
  EXPECT_FALSE(tree.left.norm.weight.needs_grad());
  EXPECT_TRUE(tree.right.norm.weight.needs_grad());
}

TEST(Init, WeightsHaveTheDeviationOfTheirFanInAndOthersTheirConstants) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Options options{.dtype = dtype};
    Module root(options);
    Block block(&root, "block", 20000);
    init_normal_fan_in(block, 0.1, 3);
    double mean = 0, square = 0;
    const std::vector<double> w = to_doubles(block.linear.weight.value());
    for (const double v : w) mean += v, square += v * v;
    const auto n = static_cast<double>(w.size());
    const double deviation = 0.1 / std::sqrt(20000.);
    EXPECT_NEAR(mean / n / deviation, 0, 4 / std::sqrt(n));
    EXPECT_NEAR(square / n / (deviation * deviation), 1, 4 * std::sqrt(2 / n));
    EXPECT_EQ(to_doubles(block.linear.bias.value()), std::vector<double>(3, 0.0));
    EXPECT_EQ(to_doubles(block.norm.weight.value()), std::vector<double>(3, 1.0));
  }
}

TEST(Init, DependsOnSeedAndNameAloneNotOnOrderOrPrecision) {
  Tree a, b, c;
  init_normal_fan_in(a, 1, 3), init_normal_fan_in(b, 1, 3), init_normal_fan_in(c, 1, 4);
  EXPECT_TRUE(test::same_bits(a.left.linear.weight.value(), b.left.linear.weight.value()));
  EXPECT_FALSE(test::same_bits(a.left.linear.weight.value(), c.left.linear.weight.value()));
  Module f64({.dtype = DType::f64}), f32;
  Block wide(&f64, ""), single(&f32, "");
  init_normal_fan_in(wide, 1, 3), init_normal_fan_in(single, 1, 3);
  EXPECT_LE(distance(to_doubles(wide.linear.weight.value()), to_doubles(single.linear.weight.value())), 1e-7);
}

// Narrow layers tell a fan-in from one beside it: of 3000 uniform draws the largest nearly meets its bound.
TEST(Init, FansOfNarrowLayers) {
  for (const int64_t fan_in : {1, 2, 3}) {
    Module root;
    Linear linear(&root, "linear", fan_in, 3000 / fan_in);
    const auto squares = [&](double& largest) {
      double sum = 0;
      for (const double v : to_doubles(linear.weight.value()))
        sum += v * v, largest = std::max(largest, std::abs(v));
      return sum / static_cast<double>(linear.weight.value().numel());
    };
    double largest = 0, unused = 0;
    init_uniform_fan_in(root, 1);
    squares(largest);
    const double bound = 1 / std::sqrt(static_cast<double>(fan_in));
    EXPECT_LE(largest, bound) << fan_in;
    EXPECT_GT(largest, 0.98 * bound) << fan_in;
    init_normal_fan_in(root, 1, 1);
    EXPECT_NEAR(squares(unused) * static_cast<double>(fan_in), 1, 5 * std::sqrt(2 / 3000.)) << fan_in;
    init_glorot_normal(root, 1);
    EXPECT_NEAR(squares(unused) * static_cast<double>(fan_in + 3000 / fan_in) / 2, 1,
                5 * std::sqrt(2 / 3000.));
  }
}

/// Root of the mean square of a tensor, and its largest magnitude.
std::pair<double, double> size_of(const Tensor& x) {
  double squares = 0, largest = 0;
  for (const double v : to_doubles(x)) squares += v * v, largest = std::max(largest, std::abs(v));
  return {std::sqrt(squares / static_cast<double>(x.numel())), largest};
}

// A weight [out 40, 5, 3, in 7]: 105 inputs of each output, 600 outputs of each input; and one in two parts,
// [300, 20] and [300, 10], whose 30 inputs count together.
TEST(Init, FansOfWindowsAndOfWeightsInParts) {
  struct Kinds : Module {
    struct Window : Module {
      using Module::Module;
      Var weight = parameter("weight", {40, 5, 3, 7}), bias = parameter("bias", {40});
    } window{this, "window"};
    struct Parts : Module {
      using Module::Module;
      Var x = parameter("weight_x", {300, 20}), y = parameter("weight_y", {300, 10}),
          bias = parameter("bias", {300});
    } parts{this, "parts"};
  } kinds;
  const double five_deviations = 5 / std::sqrt(2 * 3000.);  // of the root mean square of 3000 and more draws
  const auto expect_size = [&](const Tensor& x, double deviation) {
    EXPECT_NEAR(size_of(x).first / deviation, 1, five_deviations);
  };
  init_normal_fan_in(kinds, 0.5, 1);
  expect_size(kinds.window.weight.value(), 0.5 / std::sqrt(105));
  init_normal(kinds, 0.25, 1);
  expect_size(kinds.window.weight.value(), 0.25);
  EXPECT_EQ(size_of(kinds.window.bias.value()).first, 0);
  init_glorot_normal(kinds, 1);
  expect_size(kinds.window.weight.value(), std::sqrt(2.0 / (105 + 600)));
  for (const Var& part : {kinds.parts.x, kinds.parts.y})
    expect_size(part.value(), std::sqrt(2.0 / (30 + 300)));
  init_uniform_fan_in(kinds, 1);
  for (const auto& [x, fan_in] : {std::pair{kinds.window.weight, 105},
                                  {kinds.window.bias, 105},
                                  {kinds.parts.x, 30},
                                  {kinds.parts.y, 30},
                                  {kinds.parts.bias, 30}}) {
    const auto [deviation, largest] = size_of(x.value());
    EXPECT_LE(largest, 1 / std::sqrt(fan_in));
    EXPECT_GE(largest, 0.8 / std::sqrt(fan_in));
    if (x.value().numel() >= 3000) expect_size(x.value(), 1 / std::sqrt(3.0 * fan_in));
  }
}

TEST(Linear, IsTheProductPlusBias) {
  Module root({.dtype = DType::f64});
  Linear linear(&root, "linear", 2, 1);
  linear.weight.value().copy_from(test::tensor_of({3, -1}, {1, 2}, DType::f64));
  kernels::fill(linear.bias.value(), 0.5);
  EXPECT_EQ(to_doubles(linear(Var(test::tensor_of({1, 2, 5, 0}, {2, 2}, DType::f64))).value()),
            (std::vector<double>{1.5, 15.5}));
}

TEST(BatchNorm, TestModeFollowsTheRunningStatistics) {
  const BatchNormOptions textbook{.eps = 0.5, .momentum = 0.25}, chainer{.eps = 0.5,
                                                                         .momentum = 0.25,
                                                                         .running_var_includes_eps = true,
                                                                         .eval_adds_eps = false,
                                                                         .initial_running_var = 0};
  for (const BatchNormOptions& rule : {textbook, chainer}) {
    Module root({.dtype = DType::f64});
    BatchNorm norm(&root, "norm", 1, rule);
    norm.weight.value().copy_from(test::tensor_of({2}, {1}, DType::f64));
    norm.bias.value().copy_from(test::tensor_of({-1}, {1}, DType::f64));
    const Var x(test::tensor_of({1, 3}, {2, 1}, DType::f64));  // mean 2, variance 1, unbiased 2
    const double rstd = 1 / std::sqrt(1.5);
    EXPECT_LE(distance(to_doubles(norm(x).value()), {-2 * rstd - 1, 2 * rstd - 1}), 1e-14);
    const bool with_eps = rule.running_var_includes_eps;
    const double mean = 0.25 * 2, var = 0.75 * rule.initial_running_var + 0.25 * 2 * (with_eps ? 1.5 : 1);
    EXPECT_NEAR(norm.running_mean.item(), mean, 1e-14);
    EXPECT_NEAR(norm.running_var.item(), var, 1e-14);
    norm.set_training(false);
    const double deviation = std::sqrt(var + (rule.eval_adds_eps ? 0.5 : 0));
    EXPECT_LE(distance(to_doubles(norm(x).value()),
                       {2 * (1 - mean) / deviation - 1, 2 * (3 - mean) / deviation - 1}),
              1e-14);
    EXPECT_NEAR(norm.running_mean.item(), mean, 1e-14) << "test mode leaves the statistics";
  }
}

TEST(Dropout, KeepsTheExpectationAndTheRatio) {
  constexpr int64_t n = 100000;
  Module root({.seed = 1});
  Dropout dropout(&root, "dropout", 0.3, "d");
  const Var ones(test::tensor_of(std::vector<double>(n, 1.0), {100, 1000}, DType::f32));
  const std::vector<double> y = to_doubles(dropout(ones).value());
  double kept = 0, total = 0;
  for (const double v : y) {
    EXPECT_TRUE(v == 0 || std::abs(v - 1 / 0.7) < 1e-6);
    kept += v != 0, total += v;
  }
  EXPECT_NEAR(kept / n, 0.7, 4 * std::sqrt(0.21 / n));
  EXPECT_NEAR(total / n, 1, 4 * std::sqrt(0.21 / n) / 0.7);
}

TEST(Dropout, EveryCallDrawsAnewAndTheCountIsState) {
  Module root({.seed = 1});
  Dropout a(&root, "a", 0.5, "d"), b(&root, "b", 0.5, "d");
  const Var ones(test::tensor_of(std::vector<double>(64, 1.0), {64}, DType::f32));
  const Tensor first = a(ones).value(), second = a(ones).value();
  EXPECT_FALSE(test::same_bits(first, second));
  EXPECT_TRUE(test::same_bits(b(ones).value(), first));
  EXPECT_TRUE(test::same_bits(b(ones).value(), second));
  kernels::fill(a.buffers()[0].tensor, 0);
  EXPECT_TRUE(test::same_bits(a(ones).value(), first)) << "restoring the count repeats the noise";
  a.set_training(false);
  EXPECT_TRUE(test::same_bits(a(ones).value(), ones.value()));
  EXPECT_EQ(a.buffers()[0].tensor.item(), 1) << "test mode draws nothing";
}

TEST(Dropout, RefusesARatioOutsideItsRange) {
  Module root;
  for (const double bad : {-0.1, 1.0, 1.5, std::nan("")})
    test::expect_error(ErrorKind::usage, "dropout ratio", [&] { Dropout(&root, "dropout", bad, "d"); });
  Dropout none(&root, "none", 0, "d");
  const Var x(test::tensor_of({1, 2}, {2}, DType::f32));
  EXPECT_EQ(none(x).node(), x.node());
}

}  // namespace
}  // namespace vae::nn
