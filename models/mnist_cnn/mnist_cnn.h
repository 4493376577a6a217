#pragma once
// A small convolutional classifier of images. What stands before its last layer are the features by which
// sets of images are compared (extractor.h).
#include "nn/image_layers.h"
#include "nn/layers.h"
#include "nn/train/step.h"

namespace vae::mnist_cnn {

using autograd::Var;

struct Config {
  int64_t height = 28, width = 28, channels = 1, classes = 10;
  int64_t features = 128;
  bool operator==(const Config&) const = default;
};

/// Twice a 3x3 convolution, 3x3 max-pooling of stride two, batch norm and ReLU; a linear map with batch norm
/// and ReLU, the features; logits.
class Net : public nn::Module {
 public:
  /// Throws Error(usage) for a size below one.
  Net(const Config& config, nn::Options options);

  /// Features [n, features], none negative, of images [n, h w c] with values in [0, 1].
  Var features(const Var& x) const;
  /// Logits [n, classes] of images, as above.
  Var operator()(const Var& x) const { return out_(features(x)); }

  const Config& config() const { return config_; }

 private:
  /// Convolution, pooling, norm.
  class Block : public nn::Module {
   public:
    Block(Module* parent, const std::string& name, int64_t in, int64_t out);
    Var operator()(const Var& images) const;

   private:
    nn::Conv2d conv_;
    nn::BatchNorm norm_;
  };

  static constexpr int64_t kMaps1 = 32, kMaps2 = 64;
  Config config_;
  Block block1_, block2_;
  nn::Linear hidden_;
  nn::BatchNorm norm_;
  nn::Linear out_;
};

/// Mean of -log q(label|x) over the rows of a batch, nats; labels are i64.
Var cross_entropy(const Var& logits, const Tensor& labels, train::Share batch, const train::Step& step);

}  // namespace vae::mnist_cnn
