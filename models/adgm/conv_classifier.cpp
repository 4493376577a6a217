#include "models/adgm/conv_classifier.h"

#include <cmath>

#include "autograd/ops_image.h"

namespace vae::models::adgm {
namespace {

using autograd::Window;

constexpr int64_t kKernel = 3, kPool = 4, kUnits = 50;

/// Width of a square map behind one layer.
int64_t behind(int64_t side) { return side < kKernel ? 0 : (side - kKernel + 1) / kPool; }

}  // namespace

ConvClassifier::ConvClassifier(const Config& c, nn::Options options)
    : side_(static_cast<int64_t>(std::lround(std::sqrt(static_cast<double>(c.x_size))))) {
  if (c.conv_channels.size() != 2)
    fail(ErrorKind::usage, "{} channel counts, not two", c.conv_channels.size());
  const int64_t last = behind(behind(side_)), first_channels = c.conv_channels[0],
                channels = c.conv_channels[1];
  if (side_ * side_ != c.x_size || last < 1)
    fail(ErrorKind::usage, "a convolutional classifier of images of {} pixels", c.x_size);
  const auto parameter = [&](const char* name, Var& var, Shape shape) {
    var = Var(Tensor::zeros(shape, options.dtype, options.device), true);
    add_parameter(name, var);
  };
  parameter("conv1.weight", weight1_, {first_channels, kKernel, kKernel, 1});
  parameter("conv1.bias", bias1_, {first_channels});
  parameter("conv2.weight", weight2_, {channels, kKernel, kKernel, first_channels});
  parameter("conv2.bias", bias2_, {channels});
  fc1_ = std::make_unique<nn::Linear>(last * last * channels, kUnits, options);
  fc2_ = std::make_unique<nn::Linear>(kUnits, c.y_size, options);
  add_child("fc1", *fc1_);
  add_child("fc2", *fc2_);
}

Var ConvClassifier::operator()(const Var& x) const {
  const auto layer = [](const Var& images, const Var& weight, const Var& bias) {
    const Var maps = autograd::relu(autograd::conv2d(images, weight, bias, Window::square(kKernel)));
    return autograd::max_pool2d(maps, Window::square(kPool, kPool));
  };
  const int64_t n = kernels::rows_of(x.shape());
  const Var images = autograd::reshape(x, {n, side_, side_, 1});
  const Var maps = layer(layer(images, weight1_, bias1_), weight2_, bias2_);
  return (*fc2_)((*fc1_)(autograd::reshape(maps, {n, -1})));
}

}  // namespace vae::models::adgm
