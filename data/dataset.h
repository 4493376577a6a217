#pragma once
// A labelled image set in host memory, and its preparation to floats.
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

/// Pixel to float: `binary` is 1 from 128 upwards and 0 below, `unit` is v / 255.
enum class Scaling { binary, unit };

/// Images u8 [N, H, W, C] as rows [N, H*W*C] of f32 or f64 on the host.
Tensor prepare_images(const Tensor& images, Scaling scaling, DType dtype = DType::f32);

}  // namespace vae::data
