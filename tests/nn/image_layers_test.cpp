// Layers of images: shapes, parameters, and the rule of batch norm over pixels.
#include "nn/image_layers.h"

#include <gtest/gtest.h>

#include "nn/layers.h"
#include "tests/numeric.h"

namespace vae::nn {
namespace {

using test::distance;

Var images(Shape shape) { return Var(test::sample_tensor(shape, DType::f64)); }

TEST(Conv2d, HasTheShapesOfItsWindow) {
  Module root({.dtype = DType::f64});
  Conv2d conv(&root, "conv", 3, 5, Window(4, 2, 1)), bare(&root, "bare", 3, 5, Window(3), false);
  EXPECT_EQ(conv.weight.shape(), Shape({5, 4, 4, 3}));
  EXPECT_EQ(conv.parameters().size(), 2u);
  EXPECT_EQ(bare.parameters().size(), 1u);
  kernels::fill(conv.bias.value(), 0.5);
  const Var y = conv(images({2, 8, 6, 3}));
  EXPECT_EQ(y.shape(), Shape({2, 4, 3, 5}));
  EXPECT_EQ(to_doubles(y.value()), std::vector<double>(120, 0.5)) << "the bias under zero weights";
  const Var z = conv(images({2, 8, 6, 3}), kernels::activation(kernels::Map::tanh));
  EXPECT_LE(distance(to_doubles(z.value()), std::vector<double>(120, std::tanh(0.5))), 1e-14);
}

TEST(ConvTranspose2d, UndoesTheShapesOfConv2dAndIsItsAdjoint) {
  Module root({.dtype = DType::f64});
  for (const Window& window : {Window(4, 2, 1), Window(3), Window{{3, 1, 1}, {2, 2, 0}}}) {
    Conv2d conv(&root, "conv", 3, 5, window, false);
    ConvTranspose2d back(&root, "back", 5, 3, window, false);
    conv.weight.value().copy_from(test::sample_tensor(conv.weight.shape(), DType::f64, kCpu, -1, 1, 1));
    back.weight.value().copy_from(conv.weight.value());
    const Var x = images({2, 8, 6, 3});
    const Var y = conv(x), z(test::sample_tensor(y.shape(), DType::f64, kCpu, -1, 1, 2));
    ASSERT_EQ(back(z).shape(), x.shape());
    // <conv(x), z> = <x, back(z)>, sums of a thousand products
    EXPECT_NEAR(autograd::sum(y * z).value().item(), autograd::sum(x * back(z)).value().item(), 1e-11);
  }
  ConvTranspose2d point(&root, "point", 4, 2, Window(4));
  EXPECT_EQ(point(images({3, 1, 1, 4})).shape(), Shape({3, 4, 4, 2}));
  EXPECT_EQ(point.parameters().size(), 2u);
  kernels::fill(point.bias.value(), -0.5);
  const Var z = point(images({3, 1, 1, 4}), kernels::kRelu);
  EXPECT_EQ(to_doubles(z.value()), std::vector<double>(96, 0.0));
}

/// Normalised with the biased variance over all pixels, remembered with the unbiased one.
TEST(BatchNormOfImages, FollowsTheFormula) {
  constexpr int64_t n = 3, h = 5, w = 4, channels = 3;
  Module root({.dtype = DType::f64});
  BatchNorm norm(&root, "norm", channels, {.eps = 1e-5, .momentum = 0.1});
  const Var x = images({n, h, w, channels});
  const std::vector<double> values = to_doubles(x.value());
  constexpr double count = n * h * w;
  std::vector<double> mean(channels), var(channels), expected, running_var;
  for (size_t i = 0; i < values.size(); ++i) mean[i % channels] += values[i] / count;
  for (size_t i = 0; i < values.size(); ++i)
    var[i % channels] += std::pow(values[i] - mean[i % channels], 2) / count;
  for (size_t i = 0; i < values.size(); ++i)
    expected.push_back((values[i] - mean[i % channels]) / std::sqrt(var[i % channels] + 1e-5));
  const Var y = norm(x);
  EXPECT_EQ(y.shape(), x.shape());
  EXPECT_LE(distance(to_doubles(y.value()), expected), 1e-13);
  for (double& v : mean) v *= 0.1;
  for (const double v : var) running_var.push_back(0.9 + 0.1 * v * count / (count - 1));
  EXPECT_LE(distance(to_doubles(norm.running_mean), mean), 1e-14);
  EXPECT_LE(distance(to_doubles(norm.running_var), running_var), 1e-14);
  norm.set_training(false);
  for (size_t i = 0; i < values.size(); ++i)
    expected[i] = (values[i] - mean[i % channels]) / std::sqrt(running_var[i % channels] + 1e-5);
  EXPECT_LE(distance(to_doubles(norm(x).value()), expected), 1e-13) << "test mode";
}

}  // namespace
}  // namespace vae::nn
