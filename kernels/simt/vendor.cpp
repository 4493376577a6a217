// What a vendor library does on CUDA devices: products on the CPU in the emulator's memory, convolutions
// through columns.
#include "kernels/kernels.h"
#include "kernels/simt/memory.h"

namespace vae::kernels::simt {

void gemm(In a, Transpose ta, In b, Transpose tb, Out c, double alpha, double beta) {
  const vae::simt::Arena::Opened opened(vae::simt::memory());
  cpu::gemm(a, ta, b, tb, c, alpha, beta);
}

void linear_fwd(In x, In w, In bias, Out y) {
  linear_sizes(x, w, bias, y);
  product_on_bias(x, w, bias, y);
}

void conv2d_fwd(In x, In w, In bias, Out y, const Window& window, const Activation& activation) {
  columns::conv2d_fwd(x, w, bias, y, window, activation);
}
void conv2d_bwd_input(In dy, In w, Out dx, const Window& window, Write write) {
  columns::conv2d_bwd_input(dy, w, dx, window, write);
}
void conv2d_bwd_weight(In dy, In x, Out dw, const Window& window, Write write) {
  columns::conv2d_bwd_weight(dy, x, dw, window, write);
}

}  // namespace vae::kernels::simt
