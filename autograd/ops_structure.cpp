#include "autograd/ops_structure.h"

#include <cmath>
#include <numeric>

namespace vae::autograd {
namespace {

using kernels::Axis;
using kernels::Transpose;
using kernels::Write;

Tensor like(const Tensor& x, Shape shape) { return Tensor::empty(shape, x.dtype(), x.device()); }

int64_t columns_of(const Tensor& x) { return kernels::columns_of(x.shape()); }

Shape with_columns(const Shape& shape, int64_t columns) {
  std::vector<int64_t> extents(shape.extents().begin(), shape.extents().end());
  VAE_CHECK(!extents.empty(), "a scalar has no columns");
  extents.back() = columns;
  return Shape(std::span<const int64_t>(extents));
}

/// The destination of a gradient of which only a part will be added to: zeroed if it holds nothing yet.
Tensor accumulator(const Backward& b, size_t i) {
  const Slot slot = b.into(i);
  if (slot.write == Write::set) slot.tensor.zero();
  return slot.tensor;
}

Shape reduced_shape(Axis axis) {
  if (axis.inner == 1) return {axis.outer};
  if (axis.outer == 1) return {axis.inner};
  return {axis.outer, axis.inner};
}

}  // namespace

Var concat(const std::vector<Var>& parts) {
  VAE_CHECK(!parts.empty(), "concat of nothing");
  int64_t columns = 0;
  for (const Var& part : parts) {
    VAE_CHECK(with_columns(part.shape(), 0) == with_columns(parts[0].shape(), 0), "concat: {} beside {}",
              part.value().str(), parts[0].value().str());
    columns += columns_of(part.value());
  }
  const Tensor y = like(parts[0].value(), with_columns(parts[0].shape(), columns));
  std::vector<int64_t> widths;
  for (int64_t to = 0; const Var& part : parts) {
    widths.push_back(columns_of(part.value()));
    kernels::copy_columns(part.value(), 0, y, to, widths.back(), Write::set);
    to += widths.back();
  }
  return record("concat", y, parts, [widths](const Backward& b) {
    int64_t from = 0;
    for (size_t i = 0; i < widths.size(); from += widths[i++])
      if (b.wants(i)) {
        const Slot dx = b.into(i);
        kernels::copy_columns(b.dy(), from, dx.tensor, 0, widths[i], dx.write);
      }
  });
}

Var slice_columns(const Var& x, int64_t begin, int64_t end) {
  VAE_CHECK(0 <= begin && begin <= end && end <= columns_of(x.value()), "slice_columns: [{}, {}) of {}",
            begin, end, x.value().str());
  const Tensor y = like(x.value(), with_columns(x.shape(), end - begin));
  kernels::copy_columns(x.value(), begin, y, 0, end - begin, Write::set);
  return record("slice_columns", y, {x}, [begin, end](const Backward& b) {
    kernels::copy_columns(b.dy(), 0, accumulator(b, 0), begin, end - begin, Write::add);
  });
}

std::vector<Var> split_columns(const Var& x, const std::vector<int64_t>& widths) {
  const int64_t total = std::accumulate(widths.begin(), widths.end(), int64_t{0});
  VAE_CHECK(total == columns_of(x.value()), "split_columns: {} into widths [{}]", x.value().str(),
            fmt::join(widths, ", "));
  std::vector<Var> parts;
  for (int64_t begin = 0; const int64_t width : widths) {
    parts.push_back(slice_columns(x, begin, begin + width));
    begin += width;
  }
  return parts;
}

Var slice_rows(const Var& x, int64_t begin, int64_t end) {
  return record("slice_rows", x.value().slice(begin, end), {x}, [begin, end](const Backward& b) {
    const Tensor rows = accumulator(b, 0).slice(begin, end), terms[] = {rows, b.dy().reshape(rows.shape())};
    kernels::map_fwd(kernels::Map::add, {}, terms, rows);
  });
}

Var gather_rows(const Var& x, const Tensor& index) {
  const Tensor y = like(x.value(), x.shape().with_leading(index.numel()));
  kernels::gather_rows(x.value(), index, y);
  return record("gather_rows", y, {x}, [index](const Backward& b) {
    const Slot dx = b.into(0);
    kernels::segment_sum(b.dy(), index, dx.tensor, dx.write);
  });
}

Var mix_rows(const Var& x, const Tensor& index, const Var& t) {
  const int64_t rows = x.value().size(0), columns = rows ? x.value().numel() / rows : 0;
  VAE_CHECK(index.numel() == rows && (t.value().numel() == 1 || t.value().numel() == rows),
            "mix_rows: {} with {} by {}", x.value().str(), index.str(), t.value().str());
  const Var flat = reshape(x, {rows, columns}), weight = reshape(t, {t.value().numel(), 1});
  return reshape(map(kernels::Map::lerp, {flat, gather_rows(flat, index), weight}), x.shape());
}

Tensor enumerate_labels(int64_t classes, int64_t rows, DType dtype, Device device) {
  std::vector<int64_t> labels(static_cast<size_t>(classes * rows));
  for (size_t r = 0; r < labels.size(); ++r) labels[r] = static_cast<int64_t>(r) / rows;
  const Tensor y = Tensor::empty({classes * rows, classes}, dtype, device);
  kernels::one_hot(Tensor::from(labels, {classes * rows}, device), y);
  return y;
}

Var segment_sum(const Var& x, const Tensor& group, int64_t groups) {
  const Tensor y = like(x.value(), x.shape().with_leading(groups));
  kernels::segment_sum(x.value(), group, y, Write::set);
  return record("segment_sum", y, {x}, [group](const Backward& b) {
    const Tensor dx = like(b.dy(), b.dy().shape().with_leading(group.numel()));
    kernels::gather_rows(b.dy(), group, dx);
    b.give(0, dx);
  });
}

Var segment_mean(const Var& x, const Tensor& group, int64_t groups) {
  const Var total = segment_sum(x, group, groups);
  const Tensor one = like(x.value(), {group.numel(), 1});
  kernels::fill(one, 1);
  const Var size = clip(segment_sum(Var(one), group, groups), 1, HUGE_VAL);
  const int64_t columns = groups ? total.value().numel() / groups : 0;
  return reshape(reshape(total, {groups, columns}) / size, total.shape());
}

Var sum(const Var& x, Axis axis, double scale) {
  const Tensor y = like(x.value(), reduced_shape(axis));
  kernels::sum(x.value(), y, axis, scale, Write::set);
  return record("sum", y, {x}, [axis, scale](const Backward& b) {
    const Slot dx = b.into(0);
    kernels::sum_bwd(b.dy(), dx.tensor, axis, scale, dx.write);
  });
}

Var mean(const Var& x, Axis axis) {
  VAE_CHECK(axis.count > 0, "mean over an empty axis of {}", x.value().str());
  return sum(x, axis, 1.0 / static_cast<double>(axis.count));
}

Var max_columns(const Var& x) {
  const Tensor index = Tensor::empty({kernels::rows_of(x.shape())}, DType::i64, x.value().device());
  kernels::argmax(x.value(), index);
  return pick(x, index);
}

Var log_sum_exp(const Var& x, Axis axis, double eps) {
  const Tensor y = like(x.value(), reduced_shape(axis));
  kernels::log_sum_exp_fwd(x.value(), y, axis, eps);
  return record("log_sum_exp", y, {x}, [xv = x.value(), y, axis, eps](const Backward& b) {
    const Slot dx = b.into(0);
    kernels::log_sum_exp_bwd(b.dy(), xv, y, dx.tensor, axis, eps, dx.write);
  });
}

Var log_mean_exp(const Var& x, Axis axis, double eps) {
  const auto count = static_cast<double>(axis.count);
  return log_sum_exp(x, axis, eps * count) + -std::log(count);
}

Var matmul(const Var& a, Transpose ta, const Var& b, Transpose tb) {
  const Tensor av = a.value(), bv = b.value();
  const auto rows = [](const Tensor& x, Transpose t) {
    return t == Transpose::no ? kernels::rows_of(x.shape()) : columns_of(x);
  };
  const auto flipped = [](Transpose t) { return t == Transpose::no ? Transpose::yes : Transpose::no; };
  const Tensor y = like(av, {rows(av, ta), rows(bv, flipped(tb))});
  kernels::gemm(av, ta, bv, tb, y, 1.0, 0.0);
  return record("matmul", y, {a, b}, [av, bv, ta, tb, flipped](const Backward& back) {
    // d op(a) = dy op(b)^T, d op(b) = op(a)^T dy; a transposed operand wants the transpose of that.
    const auto into = [&](size_t i, const Tensor& l, Transpose tl, const Tensor& r, Transpose tr) {
      const Slot dx = back.into(i);
      kernels::gemm(l, tl, r, tr, dx.tensor, 1.0, dx.write == Write::add ? 1.0 : 0.0);
    };
    if (back.wants(0) && ta == Transpose::no) into(0, back.dy(), Transpose::no, bv, flipped(tb));
    if (back.wants(0) && ta == Transpose::yes) into(0, bv, tb, back.dy(), Transpose::yes);
    if (back.wants(1) && tb == Transpose::no) into(1, av, flipped(ta), back.dy(), Transpose::no);
    if (back.wants(1) && tb == Transpose::yes) into(1, back.dy(), Transpose::yes, av, ta);
  });
}

}  // namespace vae::autograd
