#pragma once
// Layers of the convolutional nets. Images are [n, h, w, channels]; batch norm over their channels is
// BatchNorm1d, which takes any shape as rows x features. Pooling has no state: autograd/ops_image.h.
#include "autograd/ops_image.h"
#include "nn/module.h"

namespace vae::nn {

using autograd::Window;

/// Cross-correlation with weight [out, kh, kw, in] and, unless `with_bias` is false, bias [out]; zero until
/// initialised.
class Conv2d : public Module {
 public:
  Conv2d(int64_t in, int64_t out, const Window& window, Options options, bool with_bias = true);
  Var operator()(const Var& x) const { return autograd::conv2d(x, weight, bias, window_); }
  Var weight, bias;

 private:
  Window window_;
};

/// Transposed convolution with weight [in, kh, kw, out] and, unless `with_bias` is false, bias [out]; zero
/// until initialised. An extent of h becomes (h - 1) stride - 2 padding + kernel.
class ConvTranspose2d : public Module {
 public:
  ConvTranspose2d(int64_t in, int64_t out, const Window& window, Options options, bool with_bias = true);
  Var operator()(const Var& x) const { return autograd::conv_transpose2d(x, weight, bias, window_); }
  Var weight, bias;

 private:
  Window window_;
};

}  // namespace vae::nn
