#include "nn/image_layers.h"

namespace vae::nn {
namespace {

Var zeros(Shape shape, Options options) {
  return Var(Tensor::zeros(shape, options.dtype, options.device), true);
}

}  // namespace

Conv2d::Conv2d(int64_t in, int64_t out, const Window& window, Options options, bool with_bias)
    : weight(zeros({out, window.h.kernel, window.w.kernel, in}, options)), window_(window) {
  add_parameter("weight", weight);
  if (!with_bias) return;
  bias = zeros({out}, options);
  add_parameter("bias", bias);
}

ConvTranspose2d::ConvTranspose2d(int64_t in, int64_t out, const Window& window, Options options,
                                 bool with_bias)
    : weight(zeros({in, window.h.kernel, window.w.kernel, out}, options)), window_(window) {
  add_parameter("weight", weight);
  if (!with_bias) return;
  bias = zeros({out}, options);
  add_parameter("bias", bias);
}

}  // namespace vae::nn
