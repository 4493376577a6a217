// Convolutions on the CPU: matrix products where a window is a pixel or there are few windows, f32 otherwise
// by Winograd's algorithm or through oneDNN, f64 through columns. Two cases for which oneDNN has no fast
// kernels go other ways: gradients of images of few channels through columns, which are short, and results of
// one channel as the adjoint of a convolution of images of one channel. bf16 takes oneDNN where f32 takes it
// or Winograd's algorithm and the processor has instructions for it; else it is widened (kernels/conv.cpp).
#include "kernels/conv_onednn.h"
#include "kernels/gemm_cpu.h"
#include "kernels/kernels.h"
#include "kernels/precision.h"
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

/// oneDNN 2.6 writes beyond its scratch memory in gradients of the weights of single pixels at a stride,
/// where the channels fill no vector and the threads do not divide the batch.
bool overruns_scratch(const ConvSizes& s) {
  constexpr int64_t kVector = 16;  // floats of AVX-512, the widest one
  return s.taps() == s.c && s.c % kVector != 0;
}
/// Whether columns beat oneDNN in f32: its gradient of images of few channels works on whole vectors of them.
bool columns_for_input(const ConvSizes& s) { return s.c <= 4; }
/// Likewise: for its gradient of weights that outweigh the images, reordering and padding cost more than
/// products.
bool columns_for_weight(const ConvSizes& s) {
  return s.o * s.taps() > s.n * s.h * s.w * s.c + s.positions() * s.o || overruns_scratch(s);
}

/// Whether products window by window pay: there is one, or there are few over images and kernels of many
/// channels, of which padding covers a good part.
bool few_windows(const ConvSizes& s) {
  return s.single() || (s.oh * s.ow <= 4 && s.n >= 16 && s.c >= 64 && s.o >= 64);
}

/// Offsets in an image, in a kernel and in a result.
struct Part {
  int64_t image, kernel, result;
};

/// Few windows on each image as products over the rows of the kernel that lie on the image: calls body(part,
/// elements of the row).
template <class Body>
void for_window_rows(const ConvSizes& s, const Body& body) {
  note_conv_engine("windows");
  const WindowAxis &h = s.window.h, &w = s.window.w;
  for (int64_t window = 0; window < s.oh * s.ow; ++window) {
    const int64_t oh = window / s.ow, ow = window % s.ow;
    const Span rows = h.pixels(oh, s.h), columns = w.pixels(ow, s.w);
    const int64_t length = columns.size() * s.c;
    const auto part = [&](int64_t row) {
      return Part{(row * s.w + columns.begin) * s.c,
                  (h.tap(oh, row) * w.kernel + w.tap(ow, columns.begin)) * s.c, window * s.o};
    };
    if (length == 0 || rows.size() == 0) continue;
    if (length == s.w * s.c && length == w.kernel * s.c)  // rows follow each other in both
      body(part(rows.begin), rows.size() * length);
    else
      for (int64_t row = rows.begin; row < rows.end; ++row) body(part(row), length);
  }
}

template <class T>
void windows_fwd(const ConvSizes& s, const T* x, const T* w, T* y) {
  const int64_t image = s.h * s.w * s.c, result = s.oh * s.ow * s.o;
  for_window_rows(s, [&](const Part& at, int64_t length) {
    gemm({s.n, s.o, length, image, s.taps(), result}, Transpose::no, Transpose::yes, 1, x + at.image,
         w + at.kernel, 1, y + at.result);
  });
}

template <class T>
void windows_bwd_input(const ConvSizes& s, const T* dy, const T* w, T* dx, double beta) {
  const int64_t image = s.h * s.w * s.c, result = s.oh * s.ow * s.o;
  for_window_rows(s, [&](const Part& at, int64_t length) {
    gemm({s.n, length, s.o, result, s.taps(), image}, Transpose::no, Transpose::no, 1, dy + at.result,
         w + at.kernel, beta, dx + at.image);
  });
}

template <class T>
void windows_bwd_weight(const ConvSizes& s, const T* dy, const T* x, T* dw, double beta) {
  const int64_t image = s.h * s.w * s.c, result = s.oh * s.ow * s.o;
  for_window_rows(s, [&](const Part& at, int64_t length) {
    gemm({s.o, length, s.n, result, image, s.taps()}, Transpose::yes, Transpose::no, 1, dy + at.result,
         x + at.image, beta, dw + at.kernel);
  });
}

/// Whether the products of the windows write all of the image, all of the kernel, and that once.
bool covers_image(const ConvSizes& s) {
  return s.single() && s.window.h.pixels(0, s.h).size() == s.h && s.window.w.pixels(0, s.w).size() == s.w;
}
bool covers_kernel(const ConvSizes& s) {
  return s.single() && s.window.h.pixels(0, s.h).size() == s.window.h.kernel &&
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

bool both_bf16(In a, In b) { return a.dtype() == DType::bf16 && b.dtype() == DType::bf16; }

/// Whether oneDNN is asked for a convolution of bf16 factors.
bool suits_bf16(const ConvSizes& s) { return processor_has_bf16() && !few_windows(s) && !turnable(s); }

/// y = x * w + bias on one of the ways of this file; false where columns are the way.
bool convolved(const ConvSizes& s, In x, In w, In bias, Out y) {
  if (x.numel() == 0 || y.numel() == 0 || s.pixelwise()) return false;
  if (both_bf16(x, w)) return suits_bf16(s) && onednn::conv2d_fwd(s, x, w, bias, y);
  if (few_windows(s)) {
    lay_down(bias, y);
    dispatch_floating(x.dtype(), [&](auto zero) {
      using T = decltype(zero);
      windows_fwd(s, x.data<T>(), w.data<T>(), y.data<T>());
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
  if (both_bf16(dy, w)) {
    const auto compute = [&](Out to) { return onednn::conv2d_bwd_input(s, dy, w, to); };
    if (!suits_bf16(s) || columns_for_input(s) || !write_through(dx, write, compute))
      columns::conv2d_bwd_input(dy, w, dx, window, write);
    return;
  }
  if (few_windows(s)) {
    if (write == Write::set && !covers_image(s)) dx.zero(), write = Write::add;
    return dispatch_floating(dx.dtype(), [&](auto zero) {
      using T = decltype(zero);
      windows_bwd_input(s, dy.data<T>(), w.data<T>(), dx.data<T>(), beta_of(write));
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
        if (!winograd::pays_for_input(s)) return onednn::conv2d_bwd_input(s, dy, w, to);
        return winograd::conv2d_bwd_input(s, dy, w, to), true;
      }))
    return;
  columns::conv2d_bwd_input(dy, w, dx, window, write);
}

void conv2d_bwd_weight(In dy, In x, Out dw, const Window& window, Write write) {
  const ConvSizes s = conv_sizes("conv2d_bwd_weight", x, dw, dy, window);
  if (x.numel() == 0 || dy.numel() == 0 || s.pixelwise())
    return columns::conv2d_bwd_weight(dy, x, dw, window, write);
  if (both_bf16(dy, x)) {
    const auto compute = [&](Out to) { return onednn::conv2d_bwd_weight(s, dy, x, to); };
    if (!suits_bf16(s) || columns_for_weight(s) || !write_through(dw, write, compute))
      columns::conv2d_bwd_weight(dy, x, dw, window, write);
    return;
  }
  if (few_windows(s)) {
    if (write == Write::set && !covers_kernel(s)) dw.zero(), write = Write::add;
    return dispatch_floating(dw.dtype(), [&](auto zero) {
      using T = decltype(zero);
      windows_bwd_weight(s, dy.data<T>(), x.data<T>(), dw.data<T>(), beta_of(write));
    });
  }
  if (turnable(s)) {
    const Tensor other = Tensor::empty({s.c, window.h.kernel, window.w.kernel, 1}, dw.dtype());
    conv2d_bwd_weight(x, dy, other, turned(window), Write::set);
    return turn_back(other, dw, write);
  }
  if (dw.dtype() == DType::f32 && write_through(dw, write, [&](Out to) {
        if (winograd::pays(s)) return winograd::conv2d_bwd_weight(s, dy, x, to), true;
        return !columns_for_weight(s) && onednn::conv2d_bwd_weight(s, dy, x, to);
      }))
    return;
  columns::conv2d_bwd_weight(dy, x, dw, window, write);
}

}  // namespace vae::kernels::cpu
