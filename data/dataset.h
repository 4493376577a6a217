#pragma once
// A labelled image set in host memory.
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace vae::data {

inline constexpr int64_t kNoLabel = -1;  ///< of a training image whose class nobody said

struct Dataset {
  Tensor images;  ///< u8 [N, H, W, C] on the host
  Tensor labels;  ///< i64 [N] on the host, each in [0, num_classes) or kNoLabel
  int num_classes = 0;
  std::vector<std::string> class_names;  ///< of folders; empty: classes are their numbers
  std::string name;
  std::string sha256;  ///< of shape, pixels and labels: the same however the set was stored
  std::vector<std::string>
      ignored{};  ///< what lay beside the pictures: "3 files that are no pictures (.txt)"
  std::vector<std::string> warnings{};  ///< what its owner will hardly have meant
  int64_t size() const { return images.size(0); }
};

/// Puts a set together and hashes it. Throws Error(data) when counts differ, a label is out of range, or it
/// is empty.
Dataset make_dataset(std::string name, Tensor images, Tensor labels, int num_classes);

/// SHA-256 of images and labels, as a Dataset carries it.
std::string content_hash(const Tensor& images, const Tensor& labels);

/// Throws the Error(data) for a label, found at `where`, that is none of the classes, which count from
/// `label_offset`.
[[noreturn]] void fail_label(const std::string& where, int64_t label, int num_classes, int label_offset = 0);

/// A class in a message: "3", or "3 (cat)" where classes have names.
std::string class_text(const std::vector<std::string>& names, int64_t label);

/// How many items each class has, of those that have one.
std::vector<int64_t> class_counts(const Tensor& labels, int num_classes);

}  // namespace vae::data
