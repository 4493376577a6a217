#pragma once
// Differentiable functions that move, gather and reduce: columns, rows, groups of rows, axes. As in ops.h a
// tensor is rows x columns, its last axis being the columns; images keep their leading axes.
#include "autograd/ops.h"

namespace vae::autograd {

// ---- columns and rows

/// The parts side by side along the last axis; their other axes agree.
Var concat(const std::vector<Var>& parts);
/// Columns [begin, end) of x.
Var slice_columns(const Var& x, int64_t begin, int64_t end);
/// x cut along the last axis into parts of the given widths, which add up to its columns.
std::vector<Var> split_columns(const Var& x, const std::vector<int64_t>& widths);
/// x[begin:end] along the leading axis, without a copy.
Var slice_rows(const Var& x, int64_t begin, int64_t end);
/// y[r] = x[index[r]] for i64 index, rows along the leading axis: shape [index.numel(), ...].
Var gather_rows(const Var& x, const Tensor& index);
/// t x[r] + (1 - t) x[index[r]] (mixup), t one number or one per row.
Var mix_rows(const Var& x, const Tensor& index, const Var& t);
/// One-hot labels of `classes` blocks of `rows` rows: row k * rows + b is 1 in column k.
Tensor enumerate_labels(int64_t classes, int64_t rows, DType dtype, Device device);

// ---- groups of rows: i64 ids in [0, groups), one per row, in any order

/// y[g] = sum of x[r] over the rows of group g; gather_rows(y, group) hands the sums back to the rows.
Var segment_sum(const Var& x, const Tensor& group, int64_t groups);
/// As segment_sum, divided by the number of rows; 0 for an empty group.
Var segment_mean(const Var& x, const Tensor& group, int64_t groups);

// ---- axes: x seen as outer x count x inner; the result is [outer], [inner] or [outer, inner]

/// Sum over the axis, scaled.
Var sum(const Var& x, kernels::Axis axis, double scale = 1);
/// Mean over the axis, which must not be empty.
Var mean(const Var& x, kernels::Axis axis);
/// Largest element of each row; the gradient goes to the first of equals.
Var max_columns(const Var& x);
/// log(sum e^x) over the axis, eps inside the logarithm as kernels/log_sum_exp.h says.
Var log_sum_exp(const Var& x, kernels::Axis axis, double eps = 0);
/// log(mean e^(x - max) + eps) + max over the axis: an importance-weighted bound from its log-weights.
Var log_mean_exp(const Var& x, kernels::Axis axis, double eps = 0);

// ---- products

/// op(a) op(b), where op transposes on request; both may need gradients.
Var matmul(const Var& a, kernels::Transpose ta, const Var& b, kernels::Transpose tb);

}  // namespace vae::autograd
