#include "nn/train/augment.h"

#include "kernels/strong_augment.h"

namespace vae::train {
namespace {

/// Random numbers in [0, below), a row for each image.
Tensor integers(Shape shape, int64_t below, const std::string& stream, const Step& step, Share batch) {
  const Tensor drawn = Tensor::empty(shape, DType::i64, step.device());
  kernels::random_integers(drawn, step.key(stream), step.draw(), below, batch.places());
  return drawn;
}

}  // namespace

Tensor shifted(const Tensor& images, int64_t pad, bool flip, const std::string& name, const Step& step,
               Share batch) {
  const int64_t n = images.size(0);
  const Tensor y = Tensor::empty(images.shape(), images.dtype(), images.device());
  kernels::crop_images(images, integers({n, 2}, 2 * pad + 1, name, step, batch),
                       flip ? integers({n, 1}, 2, name + "/flip", step, batch).reshape({n}) : Tensor(), y,
                       pad);
  return y;
}

Tensor distorted(const Tensor& images, int64_t operations, const std::string& name, const Step& step,
                 Share batch) {
  const int64_t n = images.size(0);
  const Tensor y = Tensor::empty(images.shape(), images.dtype(), images.device());
  kernels::strong_augment(images,
                          integers({n, operations}, kernels::kDistortions, name + "/operation", step, batch),
                          integers({n, operations}, kernels::kLevels, name + "/level", step, batch),
                          integers({n, 2}, kernels::kLevels, name + "/centre", step, batch), y);
  return y;
}

}  // namespace vae::train
