#include "nn/train/augment.h"

#include "kernels/strong_augment.h"

namespace vae::train {
namespace {

/// Random numbers in [0, below).
Tensor integers(Shape shape, int64_t below, const std::string& stream, const Step& step) {
  const Tensor drawn = Tensor::empty(shape, DType::i64, step.device());
  kernels::random_integers(drawn, step.key(stream), step.draw(), below, {});
  return drawn;
}

}  // namespace

Tensor shifted(const Tensor& images, int64_t pad, bool flip, const std::string& name, const Step& step) {
  const int64_t n = images.size(0);
  const Tensor y = Tensor::empty(images.shape(), images.dtype(), images.device());
  kernels::crop_images(images, integers({n, 2}, 2 * pad + 1, name, step),
                       flip ? integers({n}, 2, name + "/flip", step) : Tensor(), y, pad);
  return y;
}

Tensor distorted(const Tensor& images, int64_t operations, const std::string& name, const Step& step) {
  const int64_t n = images.size(0);
  const Tensor y = Tensor::empty(images.shape(), images.dtype(), images.device());
  kernels::strong_augment(images, integers({n, operations}, kernels::kDistortions, name + "/operation", step),
                          integers({n, operations}, kernels::kLevels, name + "/level", step),
                          integers({n, 2}, kernels::kLevels, name + "/centre", step), y);
  return y;
}

}  // namespace vae::train
