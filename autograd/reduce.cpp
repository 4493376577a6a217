#include "autograd/reduce.h"

#include <cmath>

#include "autograd/elementwise.h"
#include "autograd/function.h"
#include "autograd/rows.h"

namespace vae::autograd {
namespace {

using detail::like;
using kernels::Axis;
using kernels::Write;

/// The checked value of x, seen along an axis.
const Tensor& along(const char* signature, const Var& x, Axis axis) {
  detail::check_operands(signature, {&x});
  if (axis.outer < 0 || axis.count < 0 || axis.inner < 0 ||
      axis.outer * axis.count * axis.inner != x.value().numel())
    misuse(detail::function_of(signature), "x is {}, which has not {} x {} x {} elements, as the axis says",
           detail::text_of(x), axis.outer, axis.count, axis.inner);
  return x.value();
}

Shape reduced_shape(Axis axis) {
  if (axis.inner == 1) return {axis.outer};
  if (axis.outer == 1) return {axis.inner};
  return {axis.outer, axis.inner};
}

}  // namespace

Var sum(const Var& x) { return scaled_sum(x, 1); }

Var scaled_sum(const Var& x, double scale) {
  detail::check_operands("sum(x)", {&x});
  const Tensor y = like(x.value(), Shape{});
  kernels::sum(x.value(), y, Axis::all(x.value().numel()), scale, Write::set);
  return record("sum", y, {x}, [scale](const Backward& b) {
    const Uniform dy = *b.uniform();
    b.give(0, Uniform{dy.number, dy.factor * scale});
  });
}

Var dot(const Var& a, const Var& b, double scale) {
  detail::check_operands("dot(a, b)", {&a, &b});
  const int64_t n = a.value().numel();
  if (b.value().numel() != n) misuse("dot", "a is {}, b is {}", detail::text_of(a), detail::text_of(b));
  return reshape(rowsum(kernels::Map::mul, {reshape(a, {1, n}), reshape(b, {1, n})}, {0, 0, scale}), Shape{});
}

Var mean(const Var& x) {
  detail::check_operands("mean(x)", {&x});
  if (x.value().numel() == 0) misuse("mean", "x is {}: no elements", detail::text_of(x));
  return scaled_sum(x, 1.0 / static_cast<double>(x.value().numel()));
}

Var sum(const Var& x, Axis axis) { return scaled_sum(x, axis, 1); }

Var scaled_sum(const Var& x, Axis axis, double scale) {
  const Tensor &xv = along("sum(x)", x, axis), y = like(xv, reduced_shape(axis));
  kernels::sum(xv, y, axis, scale, Write::set);
  return record("sum", y, {x}, [axis, scale](const Backward& b) {
    if (const auto dy = b.uniform()) return b.give(0, Uniform{dy->number, dy->factor * scale});
    const Slot dx = b.into(0);
    kernels::sum_bwd(b.dy(), dx.tensor, axis, scale, dx.write);
  });
}

Var mean(const Var& x, Axis axis) {
  along("mean(x)", x, axis);
  if (axis.count == 0) misuse("mean", "the axis of x, {}, is empty", detail::text_of(x));
  return scaled_sum(x, axis, 1.0 / static_cast<double>(axis.count));
}

Var log_sum_exp(const Var& x, Axis axis, double eps) {
  const Tensor &xv = along("log_sum_exp(x)", x, axis), y = like(xv, reduced_shape(axis));
  if (axis.count == 0) misuse("log_sum_exp", "the axis of x, {}, is empty", detail::text_of(x));
  if (!(eps >= 0)) misuse("log_sum_exp", "eps {} is negative", eps);
  kernels::log_sum_exp_fwd(xv, y, axis, eps);
  return record("log_sum_exp", y, {x}, [xv = x.value(), y, axis, eps](const Backward& b) {
    const Slot dx = b.into(0);
    kernels::log_sum_exp_bwd(b.dy(), xv, y, dx.tensor, axis, eps, dx.write);
  });
}

Var log_mean_exp(const Var& x, Axis axis, double eps) {
  const auto count = static_cast<double>(axis.count);
  if (axis.count == 1 && eps == 0) {  // of one element: itself
    along("log_mean_exp(x)", x, axis);
    return reshape(x, reduced_shape(axis));
  }
  return log_sum_exp(x, axis, eps * count) + -std::log(count);
}

Var softmax(const Var& x) {
  detail::check_operands("softmax(x)", {&x});
  const Tensor y = like(x.value(), x.shape());
  kernels::softmax_fwd(x.value(), y);
  return record("softmax", y, {x}, [y](const Backward& b) {
    const Slot dx = b.into(0);
    kernels::softmax_bwd(b.dy(), y, dx.tensor, dx.write);
  });
}

Var log_softmax(const Var& x) {
  detail::check_operands("log_softmax(x)", {&x});
  const Tensor y = like(x.value(), x.shape());
  kernels::log_softmax_fwd(x.value(), y);
  return record("log_softmax", y, {x}, [y](const Backward& b) {
    const Slot dx = b.into(0);
    kernels::log_softmax_bwd(b.dy(), y, dx.tensor, dx.write);
  });
}

}  // namespace vae::autograd
