#pragma once
// Copies of columns and sums of rows by group: the checks shared by all backends.
//
// copy_columns is concatenation and slicing along the last axis, and the gradient of both; segment_sum is the
// gradient of gather_rows, and gather_rows that of segment_sum.
#include "kernels/kernel.h"

namespace vae::kernels {

/// Columns [from, from + n) of x into [to, to + n) of y, or added to them.
struct ColumnCopy {
  Tensor x;
  int64_t from = 0;
  Tensor y;
  int64_t to = 0, n = 0;
  Write write = Write::set;
  void each_tensor(const auto& f) const { (f(x), f(y)); }
};
/// Each is within its tensors, which have equal rows and, in all of them, one floating dtype. No two write
/// the same columns.
void check_copy_columns(std::span<const ColumnCopy> copies);
/// x [rows, ...], or undefined: of ones, and one i64 group per row into y [groups, ...], of one floating
/// dtype. Groups come in any order and may be empty; the terms of a group are added in f64 in an order that
/// the sizes fix. A group outside [0, groups) throws on the host; a device makes all of y NaN.
void check_segment_sum(In x, In group, Out y);

}  // namespace vae::kernels
