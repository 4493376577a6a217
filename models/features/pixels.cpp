#include "models/features/pixels.h"

#include "tensor/parallel.h"

namespace vae::features {

Tensor Pixels::operator()(const Tensor& images) const {
  VAE_CHECK(images.rank() == 4 && images.dtype() == DType::u8, "pixels of {}", images.str());
  if (images.size(1) != height_ || images.size(2) != width_ || images.size(3) != channels_)
    fail(ErrorKind::data, "features: images of {}x{}x{}, expected {}x{}x{}", images.size(1), images.size(2),
         images.size(3), height_, width_, channels_);
  const Tensor features = Tensor::empty({images.size(0), width()});
  const uint8_t* bytes = images.data<uint8_t>();
  float* out = features.data<float>();
  parallel_for(images.numel(), 1 << 16, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) out[i] = static_cast<float>(bytes[i]) / 255;
  });
  return features;
}

}  // namespace vae::features
