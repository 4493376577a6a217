#include "kernels/conv.h"

#include <algorithm>

#include "kernels/kernels.h"
#include "kernels/precision.h"

namespace vae::kernels {
namespace {
thread_local const char* conv_engine = "";
}

const char* last_conv_engine() { return conv_engine; }
void note_conv_engine(const char* name) { conv_engine = name; }

bool ConvSizes::pixelwise() const {
  const auto one = [](const WindowAxis& a) { return a.kernel == 1 && a.stride == 1 && a.padding == 0; };
  return one(window.h) && one(window.w);
}

ConvSizes conv_sizes(const char* kernel, In x, In w, In y, const Window& window) {
  VAE_CHECK((is_product(x, w, y) || is_product(y, w, x) || is_product(y, x, w)) && w.rank() == 4,
            "{}: images {}, weights {}, result {}", kernel, x.str(), w.str(), y.str());
  const Shape output = window.output(kernel, x.shape(), w.size(0));
  VAE_CHECK(
      y.shape() == output && w.shape() == Shape({w.size(0), window.h.kernel, window.w.kernel, x.size(3)}),
      "{}: images {} and weights {} under window {} do not give {}", kernel, x.str(), w.str(), window.str(),
      y.str());
  return {{x.size(0), x.size(1), x.size(2), x.size(3), output[1], output[2], window}, w.size(0)};
}

Sliding unfold_sizes(const char* kernel, In x, In columns, const Window& window, int64_t first) {
  const Shape output = window.output(kernel, x.shape(), 1);
  const bool fits = is_floating(x.dtype()) && columns.dtype() == x.dtype() && columns.rank() == 2 &&
                    columns.size(1) == window.h.kernel * window.w.kernel * x.size(3) && first >= 0 &&
                    first + columns.size(0) <= output.numel();
  VAE_CHECK(fits, "{}: images {}, columns {} from {} under window {}", kernel, x.str(), columns.str(), first,
            window.str());
  return {x.size(0), x.size(1), x.size(2), x.size(3), output[1], output[2], window};
}

void lay_down(In bias, Out y) {
  if (!bias.defined()) return y.zero();
  map_fwd(Map::affine, {1, 0}, {&bias, 1}, y);
}

namespace columns {
namespace {

/// Calls convolve(a, b) with f32 copies of bf16 factors a and b.
template <class Convolve>
void widened(In a, In b, const Convolve& convolve) {
  const PrecisionScope tensor_cores(Precision::tf32);
  convolve(converted(a, DType::f32), converted(b, DType::f32));
}

bool narrow(In a, In b) { return a.dtype() == DType::bf16 || b.dtype() == DType::bf16; }

void note_engine(const ConvSizes& s) { note_conv_engine(s.pixelwise() ? "product" : "columns"); }

/// Calls body(first window, block of columns, rows of y) over all windows. A block stays in the cache of a
/// core; other devices need larger ones to be busy.
template <class Body>
void for_blocks(const ConvSizes& s, In y, const Body& body) {
  const int64_t elements = int64_t{1} << (y.device().is_cpu() ? 18 : 24);
  const int64_t taps = s.taps(), windows = s.positions();
  const int64_t rows = std::min(windows, std::max<int64_t>(1, elements / std::max<int64_t>(taps, 1)));
  const Tensor block = Tensor::empty({rows, taps}, y.dtype(), y.device()), flat = y.reshape({windows, s.o});
  for (int64_t first = 0; first < windows; first += rows) {
    const int64_t end = std::min(windows, first + rows);
    body(first, block.slice(0, end - first), flat.slice(first, end));
  }
}

}  // namespace

void conv2d_fwd(In x, In w, In bias, Out y, const Window& window, const Activation& activation) {
  const ConvSizes s = conv_sizes("conv2d_fwd", x, w, y, window);
  check_bias("conv2d_fwd", bias, y);
  if (narrow(x, w) && !s.pixelwise())
    return widened(x, w, [&](In a, In b) { kernels::conv2d_fwd(a, b, bias, y, window, activation); });
  note_engine(s);
  const Tensor weights = w.reshape({s.o, s.taps()});
  const auto multiply = [&](In columns, In result) {
    linear_fwd(columns, weights, bias, result);
    if (activation.function) bias_activation_fwd({}, result, activation);
  };
  if (s.pixelwise()) return multiply(x, y);
  for_blocks(s, y, [&](int64_t first, In block, In rows) {
    unfold(x, block, window, first);
    multiply(block, rows);
  });
}

void conv2d_bwd_input(In dy, In w, Out dx, const Window& window, Write write) {
  const ConvSizes s = conv_sizes("conv2d_bwd_input", dx, w, dy, window);
  if (narrow(dy, w) && !s.pixelwise())
    return widened(dy, w, [&](In a, In b) { kernels::conv2d_bwd_input(a, b, dx, window, write); });
  note_engine(s);
  const Tensor weights = w.reshape({s.o, s.taps()});
  if (s.pixelwise()) return gemm(dy, Transpose::no, weights, Transpose::no, dx, 1, write == Write::add);
  if (write == Write::set) dx.zero();
  for_blocks(s, dy, [&](int64_t first, In block, In rows) {
    gemm(rows, Transpose::no, weights, Transpose::no, block, 1, 0);
    fold(block, dx, window, first);
  });
}

void conv2d_bwd_weight(In dy, In x, Out dw, const Window& window, Write write) {
  const ConvSizes s = conv_sizes("conv2d_bwd_weight", x, dw, dy, window);
  if (narrow(dy, x) && !s.pixelwise())
    return widened(dy, x, [&](In a, In b) { kernels::conv2d_bwd_weight(a, b, dw, window, write); });
  note_engine(s);
  const Tensor weights = dw.reshape({s.o, s.taps()});
  if (s.pixelwise()) return gemm(dy, Transpose::yes, x, Transpose::no, weights, 1, write == Write::add);
  if (write == Write::set) dw.zero();
  for_blocks(s, dy, [&](int64_t first, In block, In rows) {
    unfold(x, block, window, first);
    gemm(rows, Transpose::yes, block, Transpose::no, weights, 1, 1);
  });
}

}  // namespace columns
}  // namespace vae::kernels
