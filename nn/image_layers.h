#pragma once
// Layers of the convolutional nets. Images are [n, h, w, channels]; pooling has no state: autograd/image.h.
// `with_bias` false: no bias. Parameters are zero until initialised. The activation of a call stands behind
// the layer.
#include "autograd/calling.h"
#include "autograd/ops.h"
#include "nn/module.h"

namespace vae::nn {

using kernels::Window;

/// Cross-correlation with weight [out, kh, kw, in] and bias [out].
class Conv2d : public Module {
 public:
  Conv2d(Module* parent, const std::string& name, int64_t in, int64_t out, const Window& window,
         bool with_bias = true)
      : Module(parent, name),
        weight(parameter("weight", {out, window.h.kernel, window.w.kernel, in})),
        bias(with_bias ? parameter("bias", {out}) : Var()),
        window_(window) {}
  Var operator()(const Var& x, const kernels::Activation& activation = {}) const {
    const autograd::Calling calling("Conv2d", path());
    return autograd::conv2d(x, weight, bias, window_, activation);
  }
  Var weight, bias;

 private:
  Window window_;
};

/// Transposed convolution with weight [in, kh, kw, out] and bias [out]. An extent of h becomes
/// (h - 1) stride - 2 padding + kernel.
class ConvTranspose2d : public Module {
 public:
  ConvTranspose2d(Module* parent, const std::string& name, int64_t in, int64_t out, const Window& window,
                  bool with_bias = true)
      : Module(parent, name),
        weight(parameter("weight", {in, window.h.kernel, window.w.kernel, out})),
        bias(with_bias ? parameter("bias", {out}) : Var()),
        window_(window) {}
  Var operator()(const Var& x, const kernels::Activation& activation = {}) const {
    const autograd::Calling calling("ConvTranspose2d", path());
    return autograd::conv_transpose2d(x, weight, bias, window_, activation);
  }
  Var weight, bias;

 private:
  Window window_;
};

}  // namespace vae::nn
