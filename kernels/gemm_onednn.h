#pragma once
// Matrix products of bf16 or f32 factors into f32 through a primitive of oneDNN.
#include "kernels/gemm.h"

namespace vae::kernels::cpu::onednn {

/// c = op(a) op(b) + beta c; false where the library has no primitive for the factors on this processor and
/// nothing was written.
bool gemm(const GemmSizes& s, In a, Transpose ta, In b, Transpose tb, Out c, double beta);

}  // namespace vae::kernels::cpu::onednn
