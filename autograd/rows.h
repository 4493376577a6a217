#pragma once
// Differentiable functions that move rows and columns and sum over groups of rows. A tensor is rows x
// columns, its last axis being the columns; where rows are moved, images keep their leading axis.
#include <vector>

#include "autograd/tape.h"

namespace vae::autograd {

/// The same elements under another shape; in the second form one extent may be -1.
Var reshape(const Var& x, const Shape& shape);
Var reshape(const Var& x, std::initializer_list<int64_t> extents);
/// One row for each entry of the leading axis: images [n, h, w, c] -> [n, h w c].
Var flatten(const Var& x);

// ---- columns

/// The parts side by side along the last axis; their other axes agree.
Var concat(const std::vector<Var>& parts);
/// Columns [begin, end) of x.
Var slice_columns(const Var& x, int64_t begin, int64_t end);
/// x with columns from `begin` on replaced by those of `part`, in place: the result has the memory of x,
/// whose columns must not be needed any more where they are replaced.
Var overwrite_columns(const Var& x, int64_t begin, const Var& part);
/// x[r, labels[r]] for i64 labels.
Var pick(const Var& x, const Tensor& labels);

// ---- rows

/// x[begin:end] along the leading axis, without a copy.
Var slice_rows(const Var& x, int64_t begin, int64_t end);
/// y[r] = x[index[r]] for i64 index, rows along the leading axis: shape [index.numel(), ...].
Var gather_rows(const Var& x, const Tensor& index);
/// t x[r] + (1 - t) x[index[r]] (mixup), t one number or one per row.
Var mix_rows(const Var& x, const Tensor& index, const Var& t);
/// The same with rows of others, of which there may be more or fewer.
Var mix_rows(const Var& x, const Var& others, const Tensor& index, const Var& t);

// ---- blocks of rows: every label under every image

/// Rows k * B + b = a[b] + v[k] from a[B, n] and v[K, n]: every row of a under every row of v.
Var outer_add(const Var& a, const Var& v);
/// Rows k * B + b = a[k * B + b] + v[k] from a[K * B, n] and v[K, n]: block k of a plus v[k].
Var add_blocks(const Var& a, const Var& v);
/// x[B, n] stacked `copies` times: [copies * B, n]; with groups, each of so many blocks of rows.
Var repeat_rows(const Var& x, int64_t copies, int64_t groups = 1);
/// One-hot labels of `classes` blocks of `rows` rows: row k * rows + b is 1 in column k.
Tensor enumerate_labels(int64_t classes, int64_t rows, DType dtype, Device device);

// ---- groups of rows: i64 ids in [0, groups), one per row, in any order

/// y[g] = sum of x[r] over the rows of group g; gather_rows(y, group) hands the sums back to the rows.
Var segment_sum(const Var& x, const Tensor& group, int64_t groups);

}  // namespace vae::autograd
