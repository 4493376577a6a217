#pragma once
// The IDX format of MNIST and its kin: big-endian header (two zero bytes, type 0x08 = unsigned byte or 0x0c =
// integer of 32 bits, rank, extents), then the elements. Files may be gzip-packed; the content decides, not
// the name.
#include <filesystem>
#include <functional>
#include <optional>

#include "tensor/tensor.h"

namespace vae::data {

/// Reads an IDX file as tensor of the file's shape (rank 1 to 6), u8 or, of integers, i64. Throws Error(io)
/// if it cannot be read and Error(data) naming the file if it is malformed: empty, wrong magic or type, size
/// other than the header claims, corrupt or truncated gzip. Memory is taken for what the header claims, once
/// it is found that the file can hold just that.
Tensor read_idx(const std::filesystem::path& path);

/// Throws where images of that shape [N, H, W, C] are not what is wanted.
using CheckImages = std::function<void(const Shape&)>;

/// Images [N, H, W, C] u8 from an IDX file of rank 3 (C = 1) or 4, whose shape is checked before they are
/// read.
Tensor read_idx_images(const std::filesystem::path& path, const CheckImages& check = {});

/// Classes [N] i64 from an IDX file of rank 1, or the first column of integers of rank 2, as QMNIST has them,
/// whose labels count from `label_offset`; throws Error(data) for a label that is none of the classes, and
/// before they are read if they are not `count`, one of each image.
Tensor read_idx_labels(const std::filesystem::path& path, int num_classes, int label_offset = 0,
                       std::optional<int64_t> count = {});

/// Writes a u8 tensor as IDX, atomically; packed if the name ends in ".gz".
void write_idx(const std::filesystem::path& path, const Tensor& values);

/// Writes images [N, H, W, C] (rank 3 if C = 1, as MNIST does) and labels as IDX files.
void write_idx_images(const std::filesystem::path& path, const Tensor& images);
void write_idx_labels(const std::filesystem::path& path, const Tensor& labels);

}  // namespace vae::data
