#include "models/mnist_cnn/mnist_cnn.h"

#include <cmath>

#include "nn/init.h"

namespace vae::mnist_cnn {
namespace {

const nn::Window kWindow(3, 1, 1), kPool(3, 2, 1);

const Config& check(const Config& c) {
  for (const int64_t size : {c.height, c.width, c.channels, c.classes, c.features})
    if (size < 1)
      fail(ErrorKind::usage, "a classifier of {}x{}x{} images, {} classes, by {} features", c.height, c.width,
           c.channels, c.classes, c.features);
  return c;
}

/// Pixels of the maps behind both poolings.
int64_t pooled_pixels(const Config& c) {
  const auto behind = [](int64_t extent) { return kPool.h.positions(kPool.h.positions(extent)); };
  return behind(c.height) * behind(c.width);
}

}  // namespace

Net::Block::Block(Module* parent, const std::string& name, int64_t in, int64_t out)
    : Module(parent, name), conv_(this, "conv", in, out, kWindow, false), norm_(this, "norm", out) {}

Var Net::Block::operator()(const Var& images) const {
  return norm_(autograd::max_pool2d(conv_(images), kPool), kernels::kRelu);
}

Net::Net(const Config& config, nn::Options options)
    : Module(options),
      config_(check(config)),
      block1_(this, "block1", config.channels, kMaps1),
      block2_(this, "block2", kMaps1, kMaps2),
      hidden_(this, "hidden", pooled_pixels(config) * kMaps2, config.features),
      norm_(this, "norm", config.features),
      out_(this, "out", config.features, config.classes) {
  nn::init_normal_fan_in(*this, std::sqrt(2.0), options.seed);
}

Var Net::features(const Var& x) const {
  const int64_t n = kernels::rows_of(x.shape());
  const Var images = autograd::reshape(x, {n, config_.height, config_.width, config_.channels});
  return norm_(hidden_(autograd::flatten(block2_(block1_(images)))), kernels::kRelu);
}

Var cross_entropy(const Var& logits, const Tensor& labels, train::Share batch, const train::Step& step) {
  return -step.mean(autograd::pick(autograd::log_softmax(logits), labels), batch);
}

}  // namespace vae::mnist_cnn
