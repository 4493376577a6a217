#include "autograd/image.h"

#include "autograd/function.h"
#include "autograd/rows.h"

namespace vae::autograd {
namespace {

using detail::like, detail::sum_into;
using kernels::Divisor;
using kernels::Write;

Tensor value_or_none(const Var& v) { return v.defined() ? v.value() : Tensor{}; }

/// Gradient of a bias: dy summed over the pixels.
void bias_gradient(const Backward& b, size_t i) {
  sum_into(b, i, kernels::Axis::rows(detail::rows_of(b.dy()), detail::columns_of(b.dy())));
}

void check_images(const char* op, const Tensor& x, const Tensor& weight) {
  VAE_CHECK(x.rank() == 4 && weight.rank() == 4, "{}: images {} by weights {}", op, x.str(), weight.str());
}

int64_t extent_before(const kernels::WindowAxis& axis, int64_t positions) {
  return (positions - 1) * axis.stride - 2 * axis.padding + axis.kernel;
}

}  // namespace

Var conv2d(const Var& x, const Var& weight, const Var& bias, const Window& window) {
  const Tensor xv = x.value(), wv = weight.value();
  check_images("conv2d", xv, wv);
  const Tensor y = like(xv, window.output("conv2d", xv.shape(), wv.size(0)));
  kernels::conv2d_fwd(xv, wv, value_or_none(bias), y, window);
  return record("conv2d", y, {x, weight, bias}, [xv, wv, window](const Backward& b) {
    if (b.wants(0)) {
      const Slot dx = b.into(0);
      kernels::conv2d_bwd_input(b.dy(), wv, dx.tensor, window, dx.write);
    }
    if (b.wants(1)) {
      const Slot dw = b.into(1);
      kernels::conv2d_bwd_weight(b.dy(), xv, dw.tensor, window, dw.write);
    }
    if (b.wants(2)) bias_gradient(b, 2);
  });
}

Var conv_transpose2d(const Var& x, const Var& weight, const Var& bias, const Window& window) {
  const Tensor xv = x.value(), wv = weight.value();
  check_images("conv_transpose2d", xv, wv);
  const int64_t h = extent_before(window.h, xv.size(1)), w = extent_before(window.w, xv.size(2));
  VAE_CHECK(h > 0 && w > 0, "conv_transpose2d: window {} leaves nothing of {}", window.str(), xv.str());
  const Tensor y = like(xv, {xv.size(0), h, w, wv.size(3)});
  kernels::conv2d_bwd_input(xv, wv, y, window, Write::set);
  if (bias.defined()) {
    const Tensor sum[] = {y, bias.value()};
    kernels::map_fwd(kernels::Map::add, {}, sum, y);
  }
  return record("conv_transpose2d", y, {x, weight, bias}, [xv, wv, window](const Backward& b) {
    if (b.wants(0)) {
      const Tensor dx = like(xv, xv.shape());
      kernels::conv2d_fwd(b.dy(), wv, {}, dx, window);
      b.give(0, dx);
    }
    if (b.wants(1)) {
      const Slot dw = b.into(1);
      kernels::conv2d_bwd_weight(xv, b.dy(), dw.tensor, window, dw.write);
    }
    if (b.wants(2)) bias_gradient(b, 2);
  });
}

Var max_pool2d(const Var& x, const Window& window) {
  const Tensor& xv = x.value();
  VAE_CHECK(xv.rank() == 4, "max_pool2d: images {}", xv.str());
  const Tensor y = like(xv, window.output("max_pool2d", xv.shape(), xv.size(3)));
  const Tensor index = Tensor::empty(y.shape(), DType::i32, xv.device());
  kernels::max_pool_fwd(xv, y, index, window);
  return record("max_pool2d", y, {x}, [index, window](const Backward& b) {
    const Slot dx = b.into(0);
    kernels::max_pool_bwd(b.dy(), index, dx.tensor, window, dx.write);
  });
}

Var avg_pool2d(const Var& x, const Window& window, Divisor divisor) {
  const Tensor& xv = x.value();
  VAE_CHECK(xv.rank() == 4, "avg_pool2d: images {}", xv.str());
  const Tensor y = like(xv, window.output("avg_pool2d", xv.shape(), xv.size(3)));
  kernels::avg_pool_fwd(xv, y, window, divisor);
  return record("avg_pool2d", y, {x}, [window, divisor](const Backward& b) {
    const Slot dx = b.into(0);
    kernels::avg_pool_bwd(b.dy(), dx.tensor, window, divisor, dx.write);
  });
}

Var global_avg_pool(const Var& x) {
  const Tensor& xv = x.value();
  VAE_CHECK(xv.rank() == 4, "global_avg_pool: images {}", xv.str());
  const Window all{{xv.size(1), 1, 0}, {xv.size(2), 1, 0}};
  return reshape(avg_pool2d(x, all), {xv.size(0), xv.size(3)});
}

}  // namespace vae::autograd
