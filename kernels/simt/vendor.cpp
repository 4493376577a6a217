// What a vendor library does on CUDA devices: products on the CPU in the emulator's memory, convolutions
// through columns. A dry run counts what the libraries of CUDA would be asked for.
#include "kernels/kernels.h"
#include "kernels/simt/dry_run.h"
#include "kernels/simt/memory.h"

namespace vae::kernels::simt {
namespace {

/// Whether a dry run counts a convolution as a node of cuDNN.
bool counted_as_one(const ConvSizes& s, In x) {
  return x.dtype() == DType::f32 && !s.pixelwise() && vae::simt::counted();
}

}  // namespace

void gemm(In a, Transpose ta, In b, Transpose tb, Out c, double alpha, double beta) {
  if (c.numel() > 0 && vae::simt::counted()) return;
  const vae::simt::Arena::Opened opened(vae::simt::memory());
  cpu::gemm(a, ta, b, tb, c, alpha, beta);
}

void linear_fwd(In x, In w, In bias, Out y) {
  const GemmSizes s = linear_sizes(x, w, bias, y);
  if (takes_bias(s, bias, y) && vae::simt::counted()) return;
  product_on_bias(x, w, bias, y);
}

void conv2d_fwd(In x, In w, In bias, Out y, const Window& window, const Activation& activation) {
  if (!counted_as_one(conv_sizes("conv2d_fwd", x, w, y, window), x))
    return columns::conv2d_fwd(x, w, bias, y, window, activation);
  if (bias.defined() || activation.function) bias_activation_fwd(bias, y, activation);
}
void conv2d_bwd_input(In dy, In w, Out dx, const Window& window, Write write) {
  if (!counted_as_one(conv_sizes("conv2d_bwd_input", dx, w, dy, window), dx))
    columns::conv2d_bwd_input(dy, w, dx, window, write);
}
void conv2d_bwd_weight(In dy, In x, Out dw, const Window& window, Write write) {
  if (!counted_as_one(conv_sizes("conv2d_bwd_weight", x, dw, dy, window), x))
    columns::conv2d_bwd_weight(dy, x, dw, window, write);
}

}  // namespace vae::kernels::simt
