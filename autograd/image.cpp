#include "autograd/image.h"

#include "autograd/elementwise.h"
#include "autograd/factor.h"
#include "autograd/function.h"
#include "autograd/rows.h"
#include "autograd/trace.h"

namespace vae::autograd {
namespace {

using detail::columns_of, detail::factor, detail::factor_beside, detail::like, detail::text_of;
using kernels::Activation;
using kernels::Divisor;
using kernels::Write;

Tensor value_or_none(const Var& v) { return v.defined() ? v.value() : Tensor{}; }

/// The bias and the activation behind a convolution, as the backward pass sees them.
struct Behind {
  Tensor y;  ///< undefined without an activation
  Activation activation;
  Behind(const Tensor& y, const Activation& activation)
      : y(activation.function ? y : Tensor{}), activation(activation) {}

  /// The gradient of the convolution from that of y; its sum over the pixels goes to the bias, input i.
  Tensor gradient(const Backward& b, size_t i) const {
    if (!activation.function) {
      if (b.wants(i)) b.give_sum_of_rows(i, b.dy());
      return b.dy();
    }
    const Tensor dx = like(y, y.shape());
    const int64_t parts = b.wants(i) && !y.device().is_cpu() ? kernels::bias_parts(y) : 1;
    if (parts > 1) {  // their sums wait for those of other biases
      const Tensor sums = like(y, {parts, columns_of(y)});
      kernels::bias_activation_bwd(b.dy(), y, dx, sums, activation, Write::set);
      b.give_sum_of_rows(i, sums);
      return dx;
    }
    const Slot dbias = b.wants(i) ? b.into(i) : Slot{};
    kernels::bias_activation_bwd(b.dy(), y, dx, dbias.tensor, activation, dbias.write);
    return dx;
  }
};

/// Throws unless x are images under a window, of so many channels (-1: of any).
void check_images(std::string_view function, const Var& x, int64_t channels) {
  const Tensor& xv = x.value();
  if (xv.rank() == 4 && (channels < 0 || xv.size(3) == channels)) return;
  misuse(function, "x is {}, expected [N, H, W, {}]: images are NHWC", text_of(x),
         channels < 0 ? std::string("channels") : std::to_string(channels));
}

void check_window(std::string_view function, const Var& x, const Window& window, bool slides) {
  for (const kernels::WindowAxis& a : {window.h, window.w})
    if (a.kernel < 1 || a.stride < 1 || a.padding < 0) misuse(function, "the window is {}", window.str());
  if (slides && (window.h.positions(x.shape()[1]) < 1 || window.w.positions(x.shape()[2]) < 1))
    misuse(function, "the window {} exceeds the padded images x, {}", window.str(), text_of(x));
}

/// Of a convolution with weights [out, h, w, in] or, transposed, [in, h, w, out].
void check_convolution(const char* signature, const Var& x, const Var& weight, const Var& bias,
                       const Window& window, bool transposed) {
  const std::string_view function = detail::function_of(signature);
  detail::check_operands(signature, {&x, &weight, detail::optional(bias)});
  const Tensor& w = weight.value();
  const char *first = transposed ? "in" : "out", *last = transposed ? "out" : "in";
  if (w.rank() != 4 || w.size(1) != window.h.kernel || w.size(2) != window.w.kernel)
    misuse(function, "weight is {}, expected [{}, {}, {}, {}]", text_of(weight), first, window.h.kernel,
           window.w.kernel, last);
  check_images(function, x, transposed ? w.size(0) : w.size(3));
  check_window(function, x, window, !transposed);
  const int64_t out = transposed ? w.size(3) : w.size(0);
  if (bias.defined() && (bias.value().numel() != out || detail::columns_of(bias.value()) != out))
    misuse(function, "bias is {}, expected [{}]", text_of(bias), out);
}

void check_pooling(const char* signature, const Var& x, const Window& window) {
  const std::string_view function = detail::function_of(signature);
  detail::check_operands(signature, {&x});
  check_images(function, x, -1);
  check_window(function, x, window, true);
}

int64_t extent_before(const kernels::WindowAxis& axis, int64_t positions) {
  return (positions - 1) * axis.stride - 2 * axis.padding + axis.kernel;
}

}  // namespace

Var conv2d(const Var& x, const Var& weight, const Var& bias, const Window& window,
           const Activation& activation) {
  if (!has_slope_of_value(activation)) return activate(activation, conv2d(x, weight, bias, window));
  check_convolution("conv2d(x, weight, bias)", x, weight, bias, window, false);
  const Tensor xv = factor(x), wv = factor(weight);
  const Tensor y = like(x.value(), window.output("conv2d", xv.shape(), wv.size(0)));
  kernels::conv2d_fwd(xv, wv, value_or_none(bias), y, window, activation);
  const Behind behind(y, activation);
  Var result = record("conv2d", y, {x, weight, bias}, [xv, wv, behind, window](const Backward& b) {
    const Tensor dy = factor_beside(wv, behind.gradient(b, 2));
    if (b.wants(0)) {
      const Slot dx = b.into(0);
      kernels::conv2d_bwd_input(dy, wv, dx.tensor, window, dx.write);
    }
    if (b.wants(1)) {
      const Slot dw = b.into(1);
      kernels::conv2d_bwd_weight(dy, xv, dw.tensor, window, dw.write);
    }
  });
  return traced(std::move(result), {.window = window, .activation = activation});
}

Var conv_transpose2d(const Var& x, const Var& weight, const Var& bias, const Window& window,
                     const Activation& activation) {
  if (!has_slope_of_value(activation)) return activate(activation, conv_transpose2d(x, weight, bias, window));
  check_convolution("conv_transpose2d(x, weight, bias)", x, weight, bias, window, true);
  const Tensor xv = factor(x), wv = factor(weight);
  const int64_t h = extent_before(window.h, xv.size(1)), w = extent_before(window.w, xv.size(2));
  if (h < 1 || w < 1)
    misuse("conv_transpose2d", "the window {} leaves nothing of the images x, {}", window.str(), text_of(x));
  const Tensor y = like(x.value(), {xv.size(0), h, w, wv.size(3)});
  kernels::conv2d_bwd_input(xv, wv, y, window, Write::set);
  if (bias.defined() || activation.function) kernels::bias_activation_fwd(value_or_none(bias), y, activation);
  const Behind behind(y, activation);
  Var result = record("conv_transpose2d", y, {x, weight, bias}, [xv, wv, behind, window](const Backward& b) {
    const Tensor gradient = behind.gradient(b, 2), dy = factor_beside(wv, gradient);
    if (b.wants(0)) {
      const Tensor dx = like(gradient, xv.shape());
      kernels::conv2d_fwd(dy, wv, {}, dx, window, {});
      b.give(0, dx);
    }
    if (b.wants(1)) {
      const Slot dw = b.into(1);
      kernels::conv2d_bwd_weight(xv, dy, dw.tensor, window, dw.write);
    }
  });
  return traced(std::move(result), {.window = window, .activation = activation});
}

Var max_pool2d(const Var& x, const Window& window) {
  check_pooling("max_pool2d(x)", x, window);
  const Tensor& xv = x.value();
  const Tensor y = like(xv, window.output("max_pool2d", xv.shape(), xv.size(3)));
  const Tensor index = Tensor::empty(y.shape(), DType::i32, xv.device());
  kernels::max_pool_fwd(xv, y, index, window);
  Var result = record("max_pool2d", y, {x}, [index, window](const Backward& b) {
    const Slot dx = b.into(0);
    kernels::max_pool_bwd(b.dy(), index, dx.tensor, window, dx.write);
  });
  return traced(std::move(result), {.window = window});
}

Var avg_pool2d(const Var& x, const Window& window, Divisor divisor) {
  check_pooling("avg_pool2d(x)", x, window);
  const Tensor& xv = x.value();
  const Tensor y = like(xv, window.output("avg_pool2d", xv.shape(), xv.size(3)));
  kernels::avg_pool_fwd(xv, y, window, divisor);
  Var result = record("avg_pool2d", y, {x}, [window, divisor](const Backward& b) {
    const Slot dx = b.into(0);
    kernels::avg_pool_bwd(b.dy(), dx.tensor, window, divisor, dx.write);
  });
  return traced(std::move(result), {.window = window, .divisor = divisor});
}

Var global_avg_pool(const Var& x) {
  detail::check_operands("global_avg_pool(x)", {&x});
  check_images("global_avg_pool", x, -1);
  const Tensor& xv = x.value();
  const Window all{{xv.size(1), 1, 0}, {xv.size(2), 1, 0}};
  return reshape(avg_pool2d(x, all), {xv.size(0), xv.size(3)});
}

}  // namespace vae::autograd
