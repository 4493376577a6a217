#include "autograd/reduce.h"

#include <cmath>

#include "autograd/elementwise.h"
#include "autograd/function.h"

namespace vae::autograd {
namespace {

using detail::like;
using kernels::Axis;
using kernels::Write;

Shape reduced_shape(Axis axis) {
  if (axis.inner == 1) return {axis.outer};
  if (axis.outer == 1) return {axis.inner};
  return {axis.outer, axis.inner};
}

}  // namespace

Var sum(const Var& x, double scale) {
  const Tensor y = like(x.value(), Shape{});
  kernels::sum(x.value(), y, Axis::all(x.value().numel()), scale, Write::set);
  return record("sum", y, {x}, [xv = x.value(), scale](const Backward& b) {
    const Slot dx = b.into(0);
    kernels::map_bwd(kernels::Map::affine, {scale, 0}, 0, b.dy(), {&xv, 1}, {}, dx.tensor, dx.write);
  });
}

Var mean(const Var& x) {
  VAE_CHECK(x.value().numel() > 0, "mean of an empty tensor {}", x.value().str());
  return sum(x, 1.0 / static_cast<double>(x.value().numel()));
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

Var softmax(const Var& x) {
  const Tensor y = like(x.value(), x.shape());
  kernels::softmax_fwd(x.value(), y);
  return record("softmax", y, {x}, [y](const Backward& b) {
    const Slot dx = b.into(0);
    kernels::softmax_bwd(b.dy(), y, dx.tensor, dx.write);
  });
}

Var log_softmax(const Var& x) {
  const Tensor y = like(x.value(), x.shape());
  kernels::log_softmax_fwd(x.value(), y);
  return record("log_softmax", y, {x}, [y](const Backward& b) {
    const Slot dx = b.into(0);
    kernels::log_softmax_bwd(b.dy(), y, dx.tensor, dx.write);
  });
}

}  // namespace vae::autograd
