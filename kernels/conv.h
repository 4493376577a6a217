#pragma once
// Convolution (cross-correlation) of NHWC images with OHWI weights:
//   y[n, oh, ow, o] = f(bias[o] + sum over taps and c of x[n, oh s - p + kh, ow s - p + kw, c] w[o, kh, kw,
//   c])
// The three kernels serve the transposed convolution too, which is the adjoint: its forward pass is
// conv2d_bwd_input, its gradients are conv2d_fwd and conv2d_bwd_weight.
#include "kernels/activation.h"
#include "kernels/window.h"

namespace vae::kernels {

/// Checked sizes: x [n, h, w, c], weights [o, kh, kw, c], y [n, oh, ow, o].
struct ConvSizes : Sliding {
  int64_t o;
  int64_t taps() const { return window.h.kernel * window.w.kernel * c; }
  /// Whether every window is one pixel, so that the convolution is a matrix product.
  bool pixelwise() const;
  /// Whether there is one window on every image.
  bool single() const { return oh == 1 && ow == 1; }
};

/// Throws naming `kernel` unless dtypes and shapes agree; one of the three is the result of the others.
ConvSizes conv_sizes(const char* kernel, In x, In w, In y, const Window& window);
/// unfold, fold: images x, columns [rows, taps] of the windows that begin with number `first`.
Sliding unfold_sizes(const char* kernel, In x, In columns, const Window& window, int64_t first);

/// How the last convolution of the calling thread was computed: "cuDNN", "oneDNN", "Winograd", "windows"
/// (products window by window), "product" (every window is a pixel) or "columns"; "" before the first one.
const char* last_conv_engine();
/// What last_conv_engine() says from now on; for the backends.
void note_conv_engine(const char* name);

/// y = bias in every pixel, 0 where it is undefined.
void lay_down(In bias, Out y);

/// Convolutions through a matrix of columns: blocks of bounded memory, one product each; where a window is a
/// pixel, the image is that matrix. Any device, dtype and geometry. Factors of bf16 are multiplied where the
/// image is that matrix, else widened for the device's convolution in f32, for which TF32, as exact here,
/// will do.
namespace columns {
void conv2d_fwd(In x, In w, In bias, Out y, const Window& window, const Activation& activation);
void conv2d_bwd_input(In dy, In w, Out dx, const Window& window, Write write);
void conv2d_bwd_weight(In dy, In x, Out dw, const Window& window, Write write);
}  // namespace columns

}  // namespace vae::kernels
