#include "models/common/image_set.h"

#include <numeric>

namespace vae::models {

Tensor ImageSet::gather(const Tensor& items, DType dtype) const {
  const Tensor x = Tensor::empty({items.numel(), image_size()}, dtype, pixels.device());
  kernels::gather_pixels(pixels, items, x, scaling);
  return x;
}

Tensor ImageSet::gather_labels(const Tensor& items) const {
  const Tensor y = Tensor::empty({items.numel()}, DType::i64, labels.device());
  kernels::gather_rows(labels, items, y);
  return y;
}

Tensor item_range(int64_t begin, int64_t end, Device device) {
  std::vector<int64_t> items(static_cast<size_t>(end - begin));
  std::iota(items.begin(), items.end(), begin);
  return items_of(items, device);
}

Tensor items_of(const std::vector<int64_t>& items, Device device) {
  return Tensor::from(items, {static_cast<int64_t>(items.size())}, device);
}

Tensor normal_noise(Shape shape, RandomKey key, int64_t number, const Tensor& like) {
  const Tensor eps = Tensor::empty(shape, like.dtype(), like.device());
  kernels::random_normal(eps, key, Tensor::scalar(number, like.device()));
  return eps;
}

Tensor random_items(const ImageSet& images, int64_t count, RandomKey key) {
  const Device device = images.pixels.device();
  const Tensor items = Tensor::empty({std::min(count, images.size())}, DType::i64, device);
  kernels::draw_items(item_range(0, images.size(), device), items, key, Tensor::scalar(int64_t{0}, device));
  return items;
}

}  // namespace vae::models
