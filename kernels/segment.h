#pragma once
// Copies of columns and sums of rows by group: the checks shared by all backends.
//
// copy_columns is concatenation and slicing along the last axis, and the gradient of both; segment_sum is the
// gradient of gather_rows, and gather_rows that of segment_sum.
#include "kernels/kernel.h"

namespace vae::kernels {

/// Columns [from, from + n) of x and [to, to + n) of y exist; equal rows and floating dtypes.
void check_copy_columns(In x, int64_t from, Out y, int64_t to, int64_t n);
/// x [rows, ...] and one i64 group per row into y [groups, ...], of one floating dtype. Groups come in any
/// order and may be empty; the terms of a group are added in f64 in an order that the sizes fix. A group
/// outside [0, groups) throws on the host; a device makes all of y NaN.
void check_segment_sum(In x, In group, Out y);

}  // namespace vae::kernels
