#pragma once
// Winograd's algorithms F(4x4, 3x3), F(3x3, 3x3) and F(4x4, 2x2) for f32 convolutions of stride one (Lavin
// and Gray, arXiv:1509.09308): a tile of 4x4, 3x3 or 4x4 results takes 36, 25 or 25 products per pair of
// channels instead of 144, 81 or 64. The first rounds a few times as coarsely as plain sums, the others half
// as much. A 4x4 convolution of stride two is the sum of four 2x2 ones of stride one over the phases of the
// images, their pixels of even and odd rows and columns.
#include "kernels/conv.h"

namespace vae::kernels::cpu::winograd {

/// Whether the algorithm knows the sizes and wins.
bool pays(const ConvSizes& s);

/// For sizes that it pays for, as in conv.h; dx and dw are set.
void conv2d_fwd(const ConvSizes& s, In x, In w, In bias, Out y);
void conv2d_bwd_input(const ConvSizes& s, In dy, In w, Out dx);
void conv2d_bwd_weight(const ConvSizes& s, In dy, In x, Out dw);

}  // namespace vae::kernels::cpu::winograd
