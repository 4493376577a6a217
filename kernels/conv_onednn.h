#pragma once
// Convolutions of f32 or bf16 factors into f32 through oneDNN. Each call returns false where the library has
// no primitive for the sizes and nothing was written.
#include "kernels/conv.h"

namespace vae::kernels::cpu::onednn {

bool conv2d_fwd(const ConvSizes& s, In x, In w, In bias, Out y);
bool conv2d_bwd_input(const ConvSizes& s, In dy, In w, Out dx);
bool conv2d_bwd_weight(const ConvSizes& s, In dy, In x, Out dw);

}  // namespace vae::kernels::cpu::onednn
