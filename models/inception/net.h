#pragma once
// FID-Inception-v3, for inference: features of images by the table of layers.
#include "models/inception/table.h"
#include "nn/module.h"

namespace vae::inception {

/// The side of the images that the net sees.
inline constexpr int64_t kSide = 299;

/// What the net sees of bytes [n, h, w, c], on their device: scaled to 299x299 (bilinear, corners not
/// aligned, no averaging), from -1 to 1; a single channel, which is grey, three times. Throws Error(data) for
/// another number of channels and for empty images.
Tensor inputs(const Tensor& bytes, DType dtype = DType::f32);

/// Throws Error(usage) unless features are taken there: 64, 192, 768 or 2048 of them.
void check_dims(int64_t dims);

class Net {
 public:
  /// From tensors as state_shapes() says, f32 on the host; the classifier may be missing. Batch norms become
  /// part of the convolutions, computed in f64.
  Net(const std::map<std::string, Tensor>& state, nn::Options options);

  /// Called with the images [n, h, w, channels] that each block makes.
  using See = std::function<void(const std::string& block, const Tensor& images)>;

  /// Features [n, dims] of inputs [n, 299, 299, 3]: means over the pixels behind the last block (2048), or
  /// behind an earlier one.
  Tensor operator()(const Tensor& inputs, int64_t dims = 2048, const See& see = {}) const;

 private:
  struct Unit {
    Tensor weight, bias;
  };
  Tensor apply(const Layer& layer, const Tensor& x) const;
  Tensor apply(const Block& block, const Tensor& x) const;

  std::map<std::string, Unit> units_;
};

}  // namespace vae::inception
