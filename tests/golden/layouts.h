#pragma once
// Tensors as the files of PyTorch have them, channels before pixels, and as ours, channels last.
#include "golden.h"

namespace vae::golden {

/// [n, channels, pixels, m] in the files is [n, pixels, channels, m] here.
struct Axes {
  int64_t n = 1, channels = 1, pixels = 1, m = 1;
};
Tensor to_ours(const Tensor& theirs, const Axes& axes, Shape ours);
Tensor to_theirs(const Tensor& ours, const Axes& axes, Shape theirs);

/// Images and weights of convolutions, transposed ones too, are [n, channels, h, w]; other tensors are as
/// they are.
Axes axes_of(const Shape& theirs);
Shape their_shape(const Shape& ours);
Tensor to_ours(const Tensor& theirs);
Tensor to_theirs(const Tensor& ours);

}  // namespace vae::golden
