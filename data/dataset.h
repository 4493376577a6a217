#pragma once
// A labelled image set in host memory.
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace vae::data {

struct Dataset {
  Tensor images;  ///< u8 [N, H, W, C] on the host
  Tensor labels;  ///< i64 [N] on the host, each in [0, num_classes)
  int num_classes = 0;
  std::string name;
  std::string sha256;  ///< of shape, pixels and labels: the same however the set was stored
  int64_t size() const { return images.size(0); }
};

/// Puts a set together and hashes it. Throws Error(data) when counts differ, a label is out of range, or it
/// is empty.
Dataset make_dataset(std::string name, Tensor images, Tensor labels, int num_classes);

/// How many items each class has.
std::vector<int64_t> class_counts(const Tensor& labels, int num_classes);

}  // namespace vae::data
