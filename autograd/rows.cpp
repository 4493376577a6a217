#include "autograd/rows.h"

#include <fmt/ranges.h>

#include "autograd/elementwise.h"
#include "autograd/function.h"
#include "autograd/trace.h"

namespace vae::autograd {
namespace {

using detail::accumulator, detail::columns_of, detail::like, detail::with_columns, detail::rows_of,
    detail::sum_into;
using detail::check_integers, detail::check_operands, detail::text_of;
using kernels::alone;
using kernels::Axis;
using kernels::ColumnCopy;
using kernels::Write;

}  // namespace

Var reshape(const Var& x, const Shape& shape) {
  check_operands("reshape(x, shape)", {&x});
  if (shape.numel() != x.value().numel())
    misuse("reshape", "x is {}, whose {} elements are not those of {}", text_of(x), x.value().numel(),
           shape.str());
  return record("reshape", x.value().reshape(shape), {x}, [](const Backward& b) {
    if (const auto dy = b.uniform()) return b.give(0, *dy);
    b.give(0, b.dy());
  });
}

Var reshape(const Var& x, std::initializer_list<int64_t> extents) {
  check_operands("reshape(x, shape)", {&x});
  std::vector<int64_t> resolved(extents);
  int64_t known = 1, unknown = 0;
  for (const int64_t extent : resolved) extent == -1 ? ++unknown : known *= extent;
  const std::string wanted = fmt::format("[{}]", fmt::join(resolved, ", "));
  if (unknown > 1) misuse("reshape", "{} has more than one -1", wanted);
  if (unknown == 1 && (known < 1 || x.value().numel() % known != 0))
    misuse("reshape", "x is {}, whose {} elements do not divide into {}", text_of(x), x.value().numel(),
           wanted);
  for (int64_t& extent : resolved)
    if (extent == -1) extent = x.value().numel() / known;
  return reshape(x, Shape(std::span<const int64_t>(resolved)));
}

Var flatten(const Var& x) {
  check_operands("flatten(x)", {&x});
  if (x.value().rank() < 2) misuse("flatten", "x is {}, expected [n, ...]", text_of(x));
  return reshape(x, Shape{x.shape()[0], x.shape().with_leading(1).numel()});
}

Var concat(const std::vector<Var>& parts) {
  if (parts.empty()) misuse("concat", "there are no parts");
  int64_t columns = 0;
  for (const Var& part : parts) {
    check_operands("concat(part, part)", {&part, &parts[0]});
    if (part.value().rank() == 0 || with_columns(part.shape(), 0) != with_columns(parts[0].shape(), 0))
      misuse("concat", "{} beside {}: the parts differ in more than their last axis", text_of(part),
             text_of(parts[0]));
    columns += columns_of(part.value());
  }
  const Tensor y = like(parts[0].value(), with_columns(parts[0].shape(), columns));
  std::vector<int64_t> widths;
  std::vector<ColumnCopy> copies;
  for (int64_t to = 0; const Var& part : parts) {
    widths.push_back(columns_of(part.value()));
    copies.push_back({part.value(), 0, y, to, widths.back()});
    to += widths.back();
  }
  if (!copies.empty()) kernels::copy_columns(copies);
  return record("concat", y, parts, [widths](const Backward& b) {
    std::vector<ColumnCopy> set, added;  // a part may be there twice, for sums one after the other
    int64_t from = 0;
    for (size_t i = 0; i < widths.size(); from += widths[i++]) {
      if (!b.wants(i)) continue;
      const Slot dx = b.into(i);
      (dx.write == Write::set ? set : added).push_back({b.dy(), from, dx.tensor, 0, widths[i], dx.write});
    }
    if (!set.empty()) kernels::copy_columns(set);
    for (const ColumnCopy& copy : added) kernels::copy_columns(alone(copy));
  });
}

Var slice_columns(const Var& x, int64_t begin, int64_t end) {
  check_operands("slice_columns(x)", {&x});
  if (!(x.value().rank() > 0 && 0 <= begin && begin <= end && end <= columns_of(x.value())))
    misuse("slice_columns", "x is {}: it has no columns [{}, {})", text_of(x), begin, end);
  const Tensor y = like(x.value(), with_columns(x.shape(), end - begin));
  kernels::copy_columns(alone(ColumnCopy{x.value(), begin, y, 0, end - begin}));
  Var result = record("slice_columns", y, {x}, [begin, end](const Backward& b) {
    kernels::copy_columns(alone(ColumnCopy{b.dy(), 0, accumulator(b, 0), begin, end - begin, Write::add}));
  });
  return traced(std::move(result), {.begin = begin});
}

Var overwrite_columns(const Var& x, int64_t begin, const Var& part) {
  check_operands("overwrite_columns(x, part)", {&x, &part});
  const int64_t width = columns_of(part.value());
  if (rows_of(x.value()) != rows_of(part.value()) || begin < 0 || begin + width > columns_of(x.value()))
    misuse("overwrite_columns", "x is {}: {} does not fit into it from column {} on", text_of(x),
           text_of(part), begin);
  kernels::copy_columns(alone(ColumnCopy{part.value(), 0, x.value(), begin, width}));
  Var result =
      record("overwrite_columns", x.value(), {x, part}, [begin, shape = part.shape()](const Backward& b) {
        const int64_t columns = shape[shape.rank() - 1];
        if (b.wants(1)) {
          const Slot dx = b.into(1);
          kernels::copy_columns(alone(ColumnCopy{b.dy(), begin, dx.tensor, 0, columns, dx.write}));
        }
        if (!b.wants(0)) return;
        const Tensor dx = b.take();
        kernels::copy_columns(
            alone(ColumnCopy{Tensor::zeros(shape, dx.dtype(), dx.device()), 0, dx, begin, columns}));
        b.pass_on(0, dx);
      });
  return traced(std::move(result), {.begin = begin});
}

Var pick(const Var& x, const Tensor& labels) {
  check_operands("pick(x)", {&x});
  check_integers("pick", "labels", labels, rows_of(x.value()));
  const Tensor y = like(x.value(), {rows_of(x.value())});
  kernels::pick(x.value(), labels, y);
  return record("pick", y, {x}, [labels](const Backward& b) {
    const Slot dx = b.into(0);
    kernels::pick_bwd(b.dy(), labels, dx.tensor, dx.write);
  });
}

Var slice_rows(const Var& x, int64_t begin, int64_t end) {
  check_operands("slice_rows(x)", {&x});
  if (!(x.value().rank() > 0 && 0 <= begin && begin <= end && end <= x.shape()[0]))
    misuse("slice_rows", "x is {}: it has no rows [{}, {})", text_of(x), begin, end);
  return record("slice_rows", x.value().slice(begin, end), {x}, [begin, end](const Backward& b) {
    const Tensor rows = accumulator(b, 0).slice(begin, end), terms[] = {rows, b.dy().reshape(rows.shape())};
    kernels::map_fwd(kernels::Map::add, {}, terms, rows);
  });
}

Var gather_rows(const Var& x, const Tensor& index) {
  check_operands("gather_rows(x)", {&x});
  check_integers("gather_rows", "index", index, index.numel());
  if (x.value().rank() == 0) misuse("gather_rows", "x is {}, which has no rows", text_of(x));
  const Tensor y = like(x.value(), x.shape().with_leading(index.numel()));
  kernels::gather_rows(x.value(), index, y);
  return record("gather_rows", y, {x}, [index](const Backward& b) {
    const Slot dx = b.into(0);
    kernels::segment_sum(b.dy(), index, dx.tensor, dx.write);
  });
}

Var mix_rows(const Var& x, const Tensor& index, const Var& t) { return mix_rows(x, x, index, t); }

Var mix_rows(const Var& x, const Var& others, const Tensor& index, const Var& t) {
  check_operands("mix_rows(x, t)", {&x, &t});
  if (x.value().rank() == 0) misuse("mix_rows", "x is {}, which has no rows", text_of(x));
  if (others.shape() != x.shape().with_leading(others.value().rank() ? others.shape()[0] : 0))
    misuse("mix_rows", "others is {}, x is {}: expected rows of one shape", text_of(others), text_of(x));
  const int64_t rows = x.value().size(0), columns = x.shape().with_leading(1).numel();
  check_integers("mix_rows", "index", index, rows);
  if (t.value().numel() != 1 && t.value().numel() != rows)
    misuse("mix_rows", "t is {}, expected one number or [{}]", text_of(t), rows);
  const Var flat = reshape(x, {rows, columns}), weight = reshape(t, {t.value().numel(), 1});
  const Var partners = gather_rows(reshape(others, {others.shape()[0], columns}), index);
  return reshape(map(kernels::Map::lerp, {flat, partners, weight}), x.shape());
}

namespace {

void check_blocks(const char* signature, const Var& a, const Var& v) {
  check_operands(signature, {&a, &v});
  if (columns_of(a.value()) != columns_of(v.value()))
    misuse(detail::function_of(signature), "v is {}, a is {}: expected rows of one length", text_of(v),
           text_of(a));
}

Var add_rows_and_blocks(const char* op, const Var& a, const Var& v, int64_t rows) {
  const int64_t n = columns_of(a.value()), a_rows = rows_of(a.value()), blocks = rows_of(v.value());
  const Tensor y = like(a.value(), {rows, n});
  kernels::outer_add(a.value(), v.value(), y);
  return record(op, y, {a, v}, [rows, blocks, a_rows, n](const Backward& b) {
    if (b.wants(0)) {
      if (a_rows == rows)
        b.give(0, b.dy());
      else
        sum_into(b, 0, {1, blocks, a_rows * n});
    }
    if (b.wants(1)) sum_into(b, 1, {blocks, blocks ? rows / blocks : 0, n});
  });
}

}  // namespace

Var outer_add(const Var& a, const Var& v) {
  check_blocks("outer_add(a, v)", a, v);
  return add_rows_and_blocks("outer_add", a, v, rows_of(a.value()) * rows_of(v.value()));
}

Var add_blocks(const Var& a, const Var& v) {
  check_blocks("add_blocks(a, v)", a, v);
  const int64_t rows = rows_of(a.value()), blocks = rows_of(v.value());
  if (blocks == 0 || rows % blocks != 0)
    misuse("add_blocks", "a is {}, whose rows are not {} blocks, a block for each row of v", text_of(a),
           blocks);
  return add_rows_and_blocks("add_blocks", a, v, rows_of(a.value()));
}

Var repeat_rows(const Var& x, int64_t copies, int64_t groups) {
  check_operands("repeat_rows(x)", {&x});
  const int64_t n = x.value().numel(), rows = rows_of(x.value());
  if (copies < 0) misuse("repeat_rows", "{} copies", copies);
  if (groups <= 0 || rows % groups != 0)
    misuse("repeat_rows", "x is {}, whose rows are not {} groups", text_of(x), groups);
  const Axis axis{groups, copies, n / groups};
  const Tensor y = like(x.value(), {copies * rows, columns_of(x.value())});
  kernels::sum_bwd(x.value(), y, axis, 1.0, Write::set);
  return record("repeat_rows", y, {x}, [axis](const Backward& b) { sum_into(b, 0, axis); });
}

Tensor enumerate_labels(int64_t classes, int64_t rows, DType dtype, Device device) {
  std::vector<int64_t> labels(static_cast<size_t>(classes * rows));
  for (size_t r = 0; r < labels.size(); ++r) labels[r] = static_cast<int64_t>(r) / rows;
  const Tensor y = Tensor::empty({classes * rows, classes}, dtype, device);
  kernels::one_hot(Tensor::from(labels, {classes * rows}, device), y);
  return y;
}

Var segment_sum(const Var& x, const Tensor& group, int64_t groups) {
  check_operands("segment_sum(x)", {&x});
  if (x.value().rank() == 0) misuse("segment_sum", "x is {}, which has no rows", text_of(x));
  check_integers("segment_sum", "group", group, x.shape()[0]);
  const Tensor y = like(x.value(), x.shape().with_leading(groups));
  kernels::segment_sum(x.value(), group, y, Write::set);
  return record("segment_sum", y, {x}, [group](const Backward& b) {
    const Tensor dx = like(b.dy(), b.dy().shape().with_leading(group.numel()));
    kernels::gather_rows(b.dy(), group, dx);
    b.give(0, dx);
  });
}

}  // namespace vae::autograd
