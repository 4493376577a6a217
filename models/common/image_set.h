#pragma once
// Images on a device, drawn by index.
#include <vector>

#include "kernels/kernels.h"

namespace vae::models {

/// Stored images and how they become inputs.
struct ImageSet {
  Tensor pixels;  ///< u8 [N, ...]
  Tensor labels;  ///< i64 [N]
  kernels::Pixels scaling = kernels::Pixels::binary;

  int64_t size() const { return pixels.size(0); }
  int64_t image_size() const { return pixels.numel() / std::max<int64_t>(1, size()); }
  /// Inputs [items, image_size] of the given items (i64 on the same device).
  Tensor gather(const Tensor& items, DType dtype = DType::f32) const;
  Tensor gather_labels(const Tensor& items) const;
};

/// Items [begin, end) as an index tensor.
Tensor item_range(int64_t begin, int64_t end, Device device);

/// Given items as an index tensor.
Tensor items_of(const std::vector<int64_t>& items, Device device);

/// Items of an image set that is split, i64 on its device.
struct SplitItems {
  Tensor labeled, unlabeled, validation;
};

/// Draws: standard normal noise, keyed by stream and number.
Tensor normal_noise(Shape shape, RandomKey key, int64_t number, const Tensor& like);

/// Random items of a set, all distinct; the same for the same key.
Tensor random_items(const ImageSet& images, int64_t count, RandomKey key);

}  // namespace vae::models
