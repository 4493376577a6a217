#pragma once
// A convolutional q(y|x): 3x3 convolutions of square images, each with ReLU and max-pooling by four, and two
// linear maps.
#include "models/adgm/layers.h"

namespace vae::models::adgm {

class ConvClassifier : public nn::Module {
 public:
  /// Of the configuration's two conv_channels. Throws Error(usage) unless x_size is a square that the layers
  /// fit into.
  ConvClassifier(const Config& config, nn::Options options);
  /// Logits of images [n, x_size].
  Var operator()(const Var& x) const;

 private:
  int64_t side_;
  Var weight1_, bias1_, weight2_, bias2_;
  std::unique_ptr<nn::Linear> fc1_, fc2_;
};

}  // namespace vae::models::adgm
