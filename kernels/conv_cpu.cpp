// Convolutions on the CPU: matrix products where a window is a pixel or there is one window, f32 otherwise by
// Winograd's algorithm or through oneDNN, f64 through columns. Two cases for which oneDNN has no fast kernels
// go other ways: gradients of images of few channels through columns, which are short, and results of one
// channel as the adjoint of a convolution of images of one channel.
#include "kernels/conv_onednn.h"
#include "kernels/gemm_cpu.h"
#include "kernels/kernels.h"
#include "kernels/winograd_cpu.h"

namespace vae::kernels::cpu {
namespace {

double beta_of(Write write) { return write == Write::add ? 1 : 0; }

/// Whether y has one channel and the window can be turned around: such a convolution is the adjoint of one
/// over images of one channel, with the kernel turned by 180 degrees.
bool turnable(const ConvSizes& s) {
  const auto fits = [](const WindowAxis& a) { return a.stride == 1 && a.padding < a.kernel; };
  return s.o == 1 && s.c > 1 && fits(s.window.h) && fits(s.window.w);
}

Window turned(const Window& window) {
  const auto turn = [](const WindowAxis& a) { return WindowAxis{a.kernel, 1, a.kernel - 1 - a.padding}; };
  return {turn(window.h), turn(window.w)};
}

/// [1, kh, kw, c] -> [c, kh, kw, 1] with the taps in reverse.
Tensor turned(In w) {
  const int64_t taps = w.size(1) * w.size(2), c = w.size(3);
  const Tensor result = Tensor::empty({c, w.size(1), w.size(2), 1}, w.dtype());
  dispatch_floating(w.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for (int64_t tap = 0; tap < taps; ++tap)
      for (int64_t i = 0; i < c; ++i) result.data<T>()[i * taps + taps - 1 - tap] = w.data<T>()[tap * c + i];
  });
  return result;
}

/// Back from [c, kh, kw, 1] into [1, kh, kw, c].
void turn_back(In turned_w, Out w, Write write) {
  const int64_t taps = w.size(1) * w.size(2), c = w.size(3);
  dispatch_floating(w.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for (int64_t tap = 0; tap < taps; ++tap)
      for (int64_t i = 0; i < c; ++i) {
        T& to = w.data<T>()[tap * c + i];
        to = (write == Write::add ? to : T(0)) + turned_w.data<T>()[i * taps + taps - 1 - tap];
      }
  });
}

/// Whether columns beat oneDNN in f32: its gradient of images of few channels works on whole vectors of them.
bool columns_for_input(const ConvSizes& s) { return s.c <= 4; }
/// Likewise: for its gradient of weights that outweigh the images, reordering and padding cost more than
/// products.
bool columns_for_weight(const ConvSizes& s) {
  return s.o * s.taps() > s.n * s.h * s.w * s.c + s.positions() * s.o;
}

/// The single window of each image as products over the rows of the kernel that lie on the image: calls
/// body(offset in an image, offset in a kernel, elements).
template <class Body>
void for_window_rows(const ConvSizes& s, const Body& body) {
  const WindowAxis &h = s.window.h, &w = s.window.w;
  const Span rows = h.pixels(0, s.h), columns = w.pixels(0, s.w);
  const auto at_image = [&](int64_t row) { return (row * s.w + columns.begin) * s.c; };
  const auto at_kernel = [&](int64_t row) {
    return (h.tap(0, row) * w.kernel + w.tap(0, columns.begin)) * s.c;
  };
  const int64_t length = columns.size() * s.c;
  if (length == 0 || rows.size() == 0) return;
  if (length == s.w * s.c && length == w.kernel * s.c)  // rows follow each other in both
    return body(at_image(rows.begin), at_kernel(rows.begin), rows.size() * length);
  for (int64_t row = rows.begin; row < rows.end; ++row) body(at_image(row), at_kernel(row), length);
}

template <class T>
void single_fwd(const ConvSizes& s, const T* x, const T* w, T* y) {
  const int64_t image = s.h * s.w * s.c;
  for_window_rows(s, [&](int64_t in_image, int64_t in_kernel, int64_t length) {
    gemm({s.n, s.o, length, image, s.taps(), s.o}, Transpose::no, Transpose::yes, 1, x + in_image,
         w + in_kernel, 1, y);
  });
}

template <class T>
void single_bwd_input(const ConvSizes& s, const T* dy, const T* w, T* dx, double beta) {
  const int64_t image = s.h * s.w * s.c;
  for_window_rows(s, [&](int64_t in_image, int64_t in_kernel, int64_t length) {
    gemm({s.n, length, s.o, s.o, s.taps(), image}, Transpose::no, Transpose::no, 1, dy, w + in_kernel, beta,
         dx + in_image);
  });
}

template <class T>
void single_bwd_weight(const ConvSizes& s, const T* dy, const T* x, T* dw, double beta) {
  const int64_t image = s.h * s.w * s.c;
  for_window_rows(s, [&](int64_t in_image, int64_t in_kernel, int64_t length) {
    gemm({s.o, length, s.n, s.o, image, s.taps()}, Transpose::yes, Transpose::no, 1, dy, x + in_image, beta,
         dw + in_kernel);
  });
}

/// Whether the products of a single window write all of the image, all of the kernel.
bool covers_image(const ConvSizes& s) {
  return s.window.h.pixels(0, s.h).size() == s.h && s.window.w.pixels(0, s.w).size() == s.w;
}
bool covers_kernel(const ConvSizes& s) {
  return s.window.h.pixels(0, s.h).size() == s.window.h.kernel &&
         s.window.w.pixels(0, s.w).size() == s.window.w.kernel;
}

/// Calls compute(tensor) with `to`, or with a fresh tensor that is then added to it, unless it returns false.
template <class Compute>
bool write_through(Out to, Write write, const Compute& compute) {
  if (write == Write::set) return compute(to);
  const Tensor fresh = Tensor::empty(to.shape(), to.dtype());
  if (!compute(fresh)) return false;
  const Tensor both[] = {to, fresh};
  map_fwd(Map::add, {}, both, to);
  return true;
}

/// y = x * w + bias on one of the ways of this file; false where columns are the way.
bool convolved(const ConvSizes& s, In x, In w, In bias, Out y) {
  if (x.numel() == 0 || y.numel() == 0 || s.pixelwise()) return false;
  if (s.single()) {
    lay_down(bias, y);
    dispatch_floating(x.dtype(), [&](auto zero) {
      using T = decltype(zero);
      single_fwd(s, x.data<T>(), w.data<T>(), y.data<T>());
    });
    return true;
  }
  if (turnable(s)) {
    lay_down(bias, y);
    columns::conv2d_bwd_input(x, turned(w), y, turned(s.window), Write::add);
    return true;
  }
  if (x.dtype() != DType::f32) return false;
  if (!winograd::pays(s)) return onednn::conv2d_fwd(s, x, w, bias, y);
  winograd::conv2d_fwd(s, x, w, bias, y);
  return true;
}

}  // namespace

void conv2d_fwd(In x, In w, In bias, Out y, const Window& window, const Activation& activation) {
  const ConvSizes s = conv_sizes("conv2d_fwd", x, w, y, window);
  check_bias("conv2d_fwd", bias, y);
  if (!convolved(s, x, w, bias, y)) return columns::conv2d_fwd(x, w, bias, y, window, activation);
  if (activation.function) bias_activation_fwd({}, y, activation);
}

void conv2d_bwd_input(In dy, In w, Out dx, const Window& window, Write write) {
  const ConvSizes s = conv_sizes("conv2d_bwd_input", dx, w, dy, window);
  if (dx.numel() == 0 || dy.numel() == 0 || s.pixelwise())
    return columns::conv2d_bwd_input(dy, w, dx, window, write);
  if (s.single()) {
    if (write == Write::set && !covers_image(s)) dx.zero(), write = Write::add;
    return dispatch_floating(dx.dtype(), [&](auto zero) {
      using T = decltype(zero);
      single_bwd_input(s, dy.data<T>(), w.data<T>(), dx.data<T>(), beta_of(write));
    });
  }
  if (turnable(s)) {
    write_through(dx, write, [&](Out to) {
      conv2d_fwd(dy, turned(w), {}, to, turned(window), {});
      return true;
    });
    return;
  }
  if (dx.dtype() == DType::f32 && !columns_for_input(s) && write_through(dx, write, [&](Out to) {
        if (!winograd::pays(s)) return onednn::conv2d_bwd_input(s, dy, w, to);
        return winograd::conv2d_bwd_input(s, dy, w, to), true;
      }))
    return;
  columns::conv2d_bwd_input(dy, w, dx, window, write);
}

void conv2d_bwd_weight(In dy, In x, Out dw, const Window& window, Write write) {
  const ConvSizes s = conv_sizes("conv2d_bwd_weight", x, dw, dy, window);
  if (x.numel() == 0 || dy.numel() == 0 || s.pixelwise())
    return columns::conv2d_bwd_weight(dy, x, dw, window, write);
  if (s.single()) {
    if (write == Write::set && !covers_kernel(s)) dw.zero(), write = Write::add;
    return dispatch_floating(dw.dtype(), [&](auto zero) {
      using T = decltype(zero);
      single_bwd_weight(s, dy.data<T>(), x.data<T>(), dw.data<T>(), beta_of(write));
    });
  }
  if (turnable(s)) {
    const Tensor other = Tensor::empty({s.c, window.h.kernel, window.w.kernel, 1}, dw.dtype());
    conv2d_bwd_weight(x, dy, other, turned(window), Write::set);
    return turn_back(other, dw, write);
  }
  if (dw.dtype() == DType::f32 && !columns_for_weight(s) && write_through(dw, write, [&](Out to) {
        if (!winograd::pays(s)) return onednn::conv2d_bwd_weight(s, dy, x, to);
        return winograd::conv2d_bwd_weight(s, dy, x, to), true;
      }))
    return;
  columns::conv2d_bwd_weight(dy, x, dw, window, write);
}

}  // namespace vae::kernels::cpu
