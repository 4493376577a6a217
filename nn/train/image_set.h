#pragma once
// Images on a device, drawn by index, and how a set is split.
#include <algorithm>
#include <string>
#include <vector>

#include "kernels/kernels.h"

namespace vae::train {

/// How stored bytes become inputs: value / 255; 1 from the middle of the range; or drawn as 0 or 1 with the
/// grey value as probability.
enum class Inputs { unit, binary, drawn };

struct ImageSet {
  Tensor pixels;  ///< u8 [N, H, W, C]
  Tensor labels;  ///< i64 [N], of an image without one -1
  Inputs inputs = Inputs::binary;

  int64_t size() const { return pixels.size(0); }
  int64_t image_size() const { return pixels.numel() / std::max<int64_t>(1, size()); }
  Device device() const { return pixels.device(); }
  /// Inputs [items, image_size] of the given items (i64 on the same device); grey values where they are
  /// drawn.
  Tensor gather(const Tensor& items, DType dtype = DType::f32) const;
  /// Inputs; where they are drawn, by draw `number` (i64 scalar) of a key, of which they have these rows.
  Tensor draw(const Tensor& items, RandomKey key, const Tensor& number, DType dtype = DType::f32,
              kernels::Rows places = {}) const;
  Tensor gather_labels(const Tensor& items) const;
  /// Images [items, image_size] as they are stored, in [0, 1], whatever a model is given of them.
  Tensor originals(const Tensor& items) const;
};

/// Bytes as 255 from 112 on, more than 0.4375 of 255, as published models of binary MNIST see them; else 0.
Tensor thresholded(const Tensor& pixels);
/// Tensors of one shape but for the leading axis, one behind the other.
Tensor stacked(const std::vector<Tensor>& parts);
/// The images of one set and behind them those of another, of one size and device; inputs as of the first.
ImageSet joined(const ImageSet& first, const ImageSet& second);

/// Bernoulli draws with probabilities p.
Tensor draw_pixels(const Tensor& p, RandomKey key, const Tensor& number, kernels::Rows places = {});

/// A batch as large as wanted, but no larger than the set it is drawn from. Throws Error(usage) where either
/// is empty.
int64_t batch_of(int64_t wanted, int64_t set);

/// How many images have no label.
int64_t count_unlabeled(const ImageSet& images);
/// Throws Error(data) where there are any, for models that need them all.
void check_labeled(const ImageSet& images);
/// Labels (i64) of items, out of those of a set.
Tensor labels_of(const Tensor& labels, const Tensor& items);

/// Items [begin, end) as an index tensor; given items; all items of a set.
Tensor item_range(int64_t begin, int64_t end, Device device);
Tensor items_of(const std::vector<int64_t>& items, Device device);
inline Tensor all_items(const ImageSet& images) { return item_range(0, images.size(), images.device()); }
/// Random items of a set, all distinct; the same for the same key.
Tensor random_items(const ImageSet& images, int64_t count, RandomKey key);

/// Items of a training set, i64 on its device.
struct SplitItems {
  Tensor labeled, unlabeled, validation;
};

/// What a recipe is trained and tested on.
struct Data {
  ImageSet train, test;
  int64_t classes = 10;
  std::string name{};                      ///< of the test set, for messages
  SplitItems split{};                      ///< of semi-supervised recipes
  std::vector<std::string> class_names{};  ///< empty: classes are their numbers
};

/// Standard normal noise of a key and number, in the dtype of `like`.
Tensor normal_noise(Shape shape, RandomKey key, int64_t number, const Tensor& like);
/// i64 labels as rows [n, classes].
Tensor one_hot(const Tensor& labels, int64_t classes, DType dtype);
/// The most probable class of each row, i64.
Tensor most_probable(const Tensor& logits);

}  // namespace vae::train
