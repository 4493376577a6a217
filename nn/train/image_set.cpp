#include "nn/train/image_set.h"

#include <numeric>

namespace vae::train {

Tensor ImageSet::gather(const Tensor& items, DType dtype) const {
  const Tensor x = Tensor::empty({items.numel(), image_size()}, dtype, device());
  kernels::gather_pixels(pixels, items, x,
                         inputs == Inputs::binary ? kernels::Pixels::binary : kernels::Pixels::unit);
  return x;
}

Tensor ImageSet::draw(const Tensor& items, RandomKey key, const Tensor& number, DType dtype,
                      kernels::Rows places) const {
  const Tensor x = gather(items, dtype);
  return inputs == Inputs::drawn ? draw_pixels(x, key, number, places) : x;
}

Tensor ImageSet::originals(const Tensor& items) const {
  return ImageSet{pixels, {}, Inputs::unit}.gather(items);
}

Tensor ImageSet::gather_labels(const Tensor& items) const { return labels_of(labels, items); }

int64_t count_unlabeled(const ImageSet& images) {
  return std::ranges::count_if(images.labels.to_vector<int64_t>(), [](int64_t label) { return label < 0; });
}

void check_labeled(const ImageSet& images) {
  if (const int64_t without = count_unlabeled(images); without > 0)
    fail(ErrorKind::data, "{} of {} training images have no label, and this model needs all of them", without,
         images.size());
}

Tensor labels_of(const Tensor& labels, const Tensor& items) {
  const Tensor y = Tensor::empty({items.numel()}, DType::i64, labels.device());
  kernels::gather_rows(labels, items, y);
  return y;
}

Tensor thresholded(const Tensor& pixels) {
  constexpr uint8_t kFirstSet = 112;
  std::vector<uint8_t> bytes = pixels.to_vector<uint8_t>();
  for (uint8_t& byte : bytes) byte = byte >= kFirstSet ? 255 : 0;
  return Tensor::from(bytes, pixels.shape(), pixels.device());
}

Tensor stacked(const std::vector<Tensor>& parts) {
  int64_t rows = 0;
  for (const Tensor& part : parts) rows += part.size(0);
  const Tensor& first = parts.front();
  const Tensor all = Tensor::empty(first.shape().with_leading(rows), first.dtype(), first.device());
  rows = 0;
  for (const Tensor& part : parts) {
    all.slice(rows, rows + part.size(0)).copy_from(part);
    rows += part.size(0);
  }
  return all;
}

ImageSet joined(const ImageSet& first, const ImageSet& second) {
  return {stacked({first.pixels, second.pixels}), stacked({first.labels, second.labels}), first.inputs};
}

Tensor draw_pixels(const Tensor& p, RandomKey key, const Tensor& number, kernels::Rows places) {
  const Tensor noise = Tensor::empty(p.shape(), p.dtype(), p.device()),
               x = Tensor::empty(p.shape(), p.dtype(), p.device());
  kernels::random_uniform(noise, key, number, places);
  const Tensor operands[] = {p, noise};
  kernels::map_fwd(kernels::Map::bernoulli, {}, operands, x);
  return x;
}

int64_t batch_of(int64_t wanted, int64_t set) {
  if (wanted < 1 || set < 1) fail(ErrorKind::usage, "batches of {} of {} images", wanted, set);
  return std::min(wanted, set);
}

Tensor item_range(int64_t begin, int64_t end, Device device) {
  std::vector<int64_t> items(static_cast<size_t>(end - begin));
  std::iota(items.begin(), items.end(), begin);
  return items_of(items, device);
}

Tensor items_of(const std::vector<int64_t>& items, Device device) {
  return Tensor::from(items, {static_cast<int64_t>(items.size())}, device);
}

Tensor random_items(const ImageSet& images, int64_t count, RandomKey key) {
  const Device device = images.device();
  const Tensor items = Tensor::empty({std::min(count, images.size())}, DType::i64, device);
  kernels::batch_items(all_items(images), items, key, Tensor::scalar(int64_t{0}, device), {});
  return items;
}

Tensor normal_noise(Shape shape, RandomKey key, int64_t number, const Tensor& like) {
  const Tensor eps = Tensor::empty(shape, like.dtype(), like.device());
  kernels::random_normal(eps, key, Tensor::scalar(number, like.device()), {});
  return eps;
}

Tensor one_hot(const Tensor& labels, int64_t classes, DType dtype) {
  const Tensor y = Tensor::empty({labels.numel(), classes}, dtype, labels.device());
  kernels::one_hot(labels, y);
  return y;
}

Tensor most_probable(const Tensor& logits) {
  const Tensor classes = Tensor::empty({logits.size(0)}, DType::i64, logits.device());
  kernels::argmax(logits, classes);
  return classes;
}

}  // namespace vae::train
