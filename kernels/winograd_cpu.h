#pragma once
// Winograd's algorithms F(4x4, 3x3), F(3x3, 3x3) and F(4x4, 2x2) for f32 convolutions (Lavin and Gray,
// arXiv:1509.09308): a tile of 4x4, 3x3 or 4x4 results takes 36, 25 or 25 products per pair of channels
// instead of 144, 81 or 64. The first rounds a few times as coarsely as plain sums, the others half as much.
// A convolution of stride two is the sum of four of stride one over the phases of the images, their pixels of
// even and odd rows and columns: of 2x2 taps for kernels of 4x4 and 3x3, whose missing ones are zero, of 3x3
// for those of 5x5 and 6x6.
#include "kernels/conv.h"

namespace vae::kernels::cpu::winograd {

/// Whether the algorithm knows the sizes and wins; for the gradient of images, which it tiles instead of
/// results.
bool pays(const ConvSizes& s);
bool pays_for_input(const ConvSizes& s);

/// For sizes that it pays for, as in conv.h; dx and dw are set.
void conv2d_fwd(const ConvSizes& s, In x, In w, In bias, Out y);
void conv2d_bwd_input(const ConvSizes& s, In dy, In w, Out dx);
void conv2d_bwd_weight(const ConvSizes& s, In dy, In x, Out dw);

}  // namespace vae::kernels::cpu::winograd
