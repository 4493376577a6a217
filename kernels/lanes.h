#pragma once
// Short rows as lanes. A group of rows is turned, so that column c of all of them is one run of kLanes
// numbers; loops over the rows of a group are then whole vectors, however short the rows.
#include <algorithm>
#include <cstring>

#include "kernels/kernel.h"
#include "tensor/parallel.h"

namespace vae::kernels::cpu {

/// A square of 16-byte lines is turned by rounds of interleaving its halves, in registers of every processor.
template <class T>
[[gnu::always_inline]] inline void turn_square(const T* x, int64_t x_stride, T* y, int64_t y_stride) {
  constexpr int side = 16 / sizeof(T);
  typedef T Line __attribute__((vector_size(16)));
  Line lines[side], next[side];
  for (int i = 0; i < side; ++i) std::memcpy(&lines[i], x + i * x_stride, 16);
  for (int round = 1; round < side; round *= 2) {
    for (int i = 0; i < side / 2; ++i) {
      const Line a = lines[i], b = lines[i + side / 2];
      if constexpr (side == 4) {
        next[2 * i] = __builtin_shufflevector(a, b, 0, 4, 1, 5);
        next[2 * i + 1] = __builtin_shufflevector(a, b, 2, 6, 3, 7);
      } else {
        next[2 * i] = __builtin_shufflevector(a, b, 0, 2);
        next[2 * i + 1] = __builtin_shufflevector(a, b, 1, 3);
      }
    }
    for (int i = 0; i < side; ++i) lines[i] = next[i];
  }
  for (int i = 0; i < side; ++i) std::memcpy(y + i * y_stride, &lines[i], 16);
}

/// y[c * y_stride + r] = x[r * x_stride + c] for r < rows, c < columns; x and y do not overlap.
template <class T>
void turn(const T* x, int64_t x_stride, int64_t rows, int64_t columns, T* y, int64_t y_stride) {
  constexpr int64_t side = 16 / sizeof(T);
  if (sizeof(T) < 4 || rows < side || columns < side) {
    for (int64_t c = 0; c < columns; ++c)
      for (int64_t r = 0; r < rows; ++r) y[c * y_stride + r] = x[r * x_stride + c];
    return;
  }
  if constexpr (sizeof(T) >= 4)
    for (int64_t row = 0; row < rows; row += side)
      for (int64_t column = 0; column < columns; column += side) {
        const int64_t r = std::min(row, rows - side),
                      c = std::min(column, columns - side);  // the last ones overlap
        turn_square(x + r * x_stride + c, x_stride, y + c * y_stride + r, y_stride);
      }
}

inline constexpr int64_t kLanes = 64;   // rows of a group
inline constexpr int64_t kNarrow = 64;  // longest row that is turned

/// Up to kLanes rows of n <= kNarrow numbers, turned.
template <class T>
class Lanes {
 public:
  Lanes(const T* rows, int64_t count, int64_t n) : count_(count), n_(n) {
    if (count < kLanes) std::fill_n(values_, n * kLanes, T(0));
    turn(rows, n, count, n, values_, kLanes);
  }
  /// Column c is [c * kLanes, (c + 1) * kLanes).
  T* data() { return values_; }
  /// Writes the rows back.
  void store(T* rows, Write write) const {
    if (write == Write::set) return turn(values_, kLanes, n_, count_, rows, n_);
    T turned[kNarrow * kLanes];
    turn(values_, kLanes, n_, count_, turned, n_);
    for (int64_t i = 0; i < count_ * n_; ++i) rows[i] += turned[i];
  }

 private:
  alignas(64) T values_[kNarrow * kLanes];
  int64_t count_, n_;
};

/// Calls body(first, count) for groups of at most kLanes of `rows` rows of n numbers, in parallel.
template <class Body>
void for_groups(int64_t rows, int64_t n, const Body& body) {
  parallel_for((rows + kLanes - 1) / kLanes, std::max<int64_t>(1, 4096 / (kLanes * std::max<int64_t>(n, 1))),
               [&](int64_t begin, int64_t end) {
                 for (int64_t first = begin * kLanes; first < std::min(end * kLanes, rows); first += kLanes)
                   body(first, std::min(kLanes, rows - first));
               });
}

}  // namespace vae::kernels::cpu
