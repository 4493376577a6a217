// What a vendor library does on CUDA devices, the CPU does on the emulator's memory.
#include "kernels/kernels.h"
#include "kernels/simt/memory.h"

namespace vae::kernels::simt {

void gemm(In a, Transpose ta, In b, Transpose tb, Out c, double alpha, double beta) {
  const vae::simt::Unlocked unlocked;
  cpu::gemm(a, ta, b, tb, c, alpha, beta);
}

}  // namespace vae::kernels::simt
