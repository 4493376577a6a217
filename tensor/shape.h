#pragma once
// Shape: up to six int64 extents, row-major, no heap.
#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "tensor/error.h"

namespace vae {

class Shape {
 public:
  static constexpr int kMaxRank = 6;

  Shape() = default;
  Shape(std::initializer_list<int64_t> extents)
      : Shape(std::span<const int64_t>(extents.begin(), extents.size())) {}
  explicit Shape(std::span<const int64_t> extents) : rank_(static_cast<int>(extents.size())) {
    VAE_CHECK(extents.size() <= kMaxRank, "rank {} exceeds {}", extents.size(), kMaxRank);
    for (int i = 0; i < rank_; ++i) {
      VAE_CHECK(extents[i] >= 0, "negative extent {}", extents[i]);
      extents_[i] = extents[i];
    }
  }

  int rank() const { return rank_; }
  /// Extent of axis i; negative i counts from the back.
  int64_t operator[](int i) const {
    const int axis = i < 0 ? i + rank_ : i;
    VAE_CHECK(axis >= 0 && axis < rank_, "axis {} of a tensor of rank {}", i, rank_);
    return extents_[axis];
  }
  /// The number of elements; throws Error(device) where bytes of them could not be counted.
  int64_t numel() const;
  std::span<const int64_t> extents() const { return {extents_.data(), static_cast<size_t>(rank_)}; }
  /// The same shape with the leading extent replaced.
  Shape with_leading(int64_t n) const {
    VAE_CHECK(rank_ > 0, "a scalar has no leading axis");
    Shape shape = *this;
    shape.extents_[0] = n;
    return shape;
  }
  bool operator==(const Shape& other) const = default;
  /// "[2, 3]"
  std::string str() const;

 private:
  std::array<int64_t, kMaxRank> extents_{};  // zero beyond the rank
  int rank_ = 0;
};

}  // namespace vae
