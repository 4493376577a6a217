#pragma once
// Winograd's algorithm F(4x4, 3x3) for f32 convolutions of stride one (Lavin and Gray, arXiv:1509.09308): a
// tile of 4x4 results takes 36 products per pair of channels instead of 144. It rounds a few times as
// coarsely as plain sums.
#include "kernels/conv.h"

namespace vae::kernels::cpu::winograd {

/// Whether the algorithm knows the sizes and wins.
bool pays(const ConvSizes& s);

/// For sizes that it pays for, as in conv.h; dx and dw are set.
void conv2d_fwd(const ConvSizes& s, In x, In w, In bias, Out y);
void conv2d_bwd_input(const ConvSizes& s, In dy, In w, Out dx);
void conv2d_bwd_weight(const ConvSizes& s, In dy, In x, Out dw);

}  // namespace vae::kernels::cpu::winograd
