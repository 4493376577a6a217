// Convolutions on CUDA devices in a build without cuDNN: through columns.
#include "kernels/kernels.h"

namespace vae::kernels::cuda {

void conv2d_fwd(In x, In w, In bias, Out y, const Window& window, const Activation& activation) {
  columns::conv2d_fwd(x, w, bias, y, window, activation);
}
void conv2d_bwd_input(In dy, In w, Out dx, const Window& window, Write write) {
  columns::conv2d_bwd_input(dy, w, dx, window, write);
}
void conv2d_bwd_weight(In dy, In x, Out dw, const Window& window, Write write) {
  columns::conv2d_bwd_weight(dy, x, dw, window, write);
}

}  // namespace vae::kernels::cuda
