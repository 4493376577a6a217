#pragma once
// A convolutional q(y|x): 3x3 convolutions of square images, each with ReLU and max-pooling by four, and two
// linear maps.
#include <cmath>

#include "models/adgm/config.h"
#include "nn/image_layers.h"

namespace vae::adgm {

class ConvClassifier : public nn::Module {
 public:
  /// Of the configuration's two conv_channels. Throws Error(usage) unless x_size is a square that the layers
  /// fit into.
  ConvClassifier(Module* parent, const std::string& name, const Config& c)
      : Module(parent, name),
        shape_(check(c)),
        conv1_(this, "conv1", 1, c.conv_channels[0], nn::Window(kKernel)),
        conv2_(this, "conv2", c.conv_channels[0], c.conv_channels[1], nn::Window(kKernel)),
        fc1_(this, "fc1", shape_.last * shape_.last * c.conv_channels[1], kUnits),
        fc2_(this, "fc2", kUnits, c.y_size) {}

  /// Logits of images [n, x_size].
  Var operator()(const Var& x) const {
    const int64_t n = kernels::rows_of(x.shape());
    const Var images = autograd::reshape(x, {n, shape_.side, shape_.side, 1});
    return fc2_(fc1_(autograd::flatten(pooled(conv2_(pooled(conv1_(images)))))));
  }

 private:
  static constexpr int64_t kKernel = 3, kPool = 4, kUnits = 50;
  struct Sides {
    int64_t side, last;  ///< of the images, and of the maps behind both layers
  };
  static Sides check(const Config& c) {
    if (c.conv_channels.size() != 2)
      fail(ErrorKind::usage, "{} channel counts, not two", c.conv_channels.size());
    const auto behind = [](int64_t side) { return side < kKernel ? 0 : (side - kKernel + 1) / kPool; };
    const auto side = static_cast<int64_t>(std::lround(std::sqrt(static_cast<double>(c.x_size))));
    const Sides sides{side, behind(behind(side))};
    if (side * side != c.x_size || sides.last < 1)
      fail(ErrorKind::usage, "a convolutional classifier of images of {} pixels", c.x_size);
    return sides;
  }
  static Var pooled(const Var& maps) {
    return autograd::max_pool2d(autograd::relu(maps), nn::Window(kPool, kPool));
  }
  Sides shape_;
  nn::Conv2d conv1_, conv2_;
  nn::Linear fc1_, fc2_;
};

}  // namespace vae::adgm
