#include "data/dataset.h"

#include "data/digest.h"

namespace vae::data {

std::string content_hash(const Tensor& images, const Tensor& labels) {
  Sha256 hash;
  const std::string header = fmt::format("images u8 {}\n", images.shape().str());
  hash.update(std::as_bytes(std::span(header)));
  hash.update({static_cast<const std::byte*>(images.raw()), images.bytes()});
  hash.update({static_cast<const std::byte*>(labels.raw()), labels.bytes()});
  return hash.hex();
}

Dataset make_dataset(std::string name, Tensor images, Tensor labels, int num_classes) {
  VAE_CHECK(images.rank() == 4 && images.dtype() == DType::u8, "{}: images must be u8 [N, H, W, C], not {}",
            name, images.str());
  VAE_CHECK(labels.rank() == 1 && labels.dtype() == DType::i64, "{}: labels must be i64 [N], not {}", name,
            labels.str());
  if (images.size(0) != labels.size(0))
    fail(ErrorKind::data, "{}: {} images, but {} labels", name, images.size(0), labels.size(0));
  if (images.numel() == 0)
    fail(ErrorKind::data, "{}: the data set is empty, its shape is {}", name, images.shape().str());
  for (int64_t i = 0; i < labels.numel(); ++i) {
    const int64_t label = labels.data<int64_t>()[i];
    if (label != kNoLabel && (label < 0 || label >= num_classes))
      fail_label(fmt::format("{}, item {}", name, i), label, num_classes);
  }
  std::string sha256 = content_hash(images, labels);
  return {std::move(images), std::move(labels), num_classes, {}, std::move(name), std::move(sha256)};
}

void fail_label(const std::string& where, int64_t label, int num_classes, int label_offset) {
  fail(ErrorKind::data,
       "{}: label {} is out of range, {} classes have the labels {} to {} (--classes, --label-offset)", where,
       label, num_classes, label_offset, label_offset + num_classes - 1);
}

std::string class_text(const std::vector<std::string>& names, int64_t label) {
  if (static_cast<size_t>(label) >= names.size()) return std::to_string(label);
  return fmt::format("{} ({})", label, names[static_cast<size_t>(label)]);
}

std::vector<int64_t> class_counts(const Tensor& labels, int num_classes) {
  std::vector<int64_t> counts(num_classes);
  for (int64_t i = 0; i < labels.numel(); ++i)
    if (const int64_t label = labels.data<int64_t>()[i]; label != kNoLabel) ++counts.at(label);
  return counts;
}

}  // namespace vae::data
