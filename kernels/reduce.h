#pragma once
// Reductions along one axis of a contiguous tensor seen as outer x count x inner.
#include "kernels/kernel.h"

namespace vae::kernels {

struct Axis {
  int64_t outer = 1, count = 1, inner = 1;
  /// Sum over the rows of m x n: column sums.
  static Axis rows(int64_t m, int64_t n) { return {1, m, n}; }
  /// Sum over the columns of m x n: row sums.
  static Axis columns(int64_t m, int64_t n) { return {m, n, 1}; }
  static Axis all(int64_t n) { return {1, n, 1}; }
};

/// Checks that x is outer x count x inner and y outer x inner; y may be f64 where x is f32.
void check_sum(In x, Out y, Axis axis);
/// y [n] = the sum of the rows of x, of n columns each, or added to it.
struct ColumnSum {
  Tensor x, y;
  Write write = Write::set;
  Axis axis() const { return Axis::rows(y.numel() ? x.numel() / y.numel() : 0, y.numel()); }
  void each_tensor(const auto& f) const { (f(x), f(y)); }
};
/// Checks each, and that their dtypes are those of the first.
void check_column_sums(std::span<const ColumnSum> sums);
/// Checks that dx is outer x count x inner and dy outer x inner, of one dtype.
void check_sum_bwd(In dy, In dx, Axis axis);
/// Where sum_bwd reads: element (r, c) of dx seen as rows x columns is dy[r / repeat * row_stride + c *
/// column_stride].
struct Spread {
  int64_t rows, columns, repeat, row_stride, column_stride;
};
Spread spread_of(Axis axis);
/// y is an f64 scalar.
void check_sum_squares(In x, Out y);
/// One i64 per row of at least one column.
void check_argmax(In x, Out y);
/// values (the dtype of x) and index (i64) are rows of x by k, 1 <= k <= columns of x. Returns k.
int64_t check_top_k(In x, Out values, Out index);

}  // namespace vae::kernels
