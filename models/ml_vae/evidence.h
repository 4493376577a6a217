#pragma once
// Evidence accumulation of the ML-VAE: the class posteriors of the images of a group multiply to one Gaussian
// per group (Bouchacourt, Tomioka, Nowozin, AAAI 2018, arXiv:1705.08841).
#include "nn/distributions.h"

namespace vae::ml_vae {

using autograd::Var;
using nn::Gaussian;

/// Which images belong together.
struct Groups {
  Tensor of_image;  ///< i64 [B], each in [0, count)
  Tensor size;      ///< [count] images of each group; 0: none in this batch
  int64_t count() const { return size.numel(); }
};

/// Groups 0 to count - 1 from their numbers; sizes in the given floating type. A number outside throws, or,
/// on a device, makes all evidence NaN.
Groups make_groups(const Tensor& of_image, int64_t count, DType dtype);

/// Product of the Gaussians [B, D] of the images of each group, without a prior: [count, D]. Precisions and
/// precision-weighted means add up. A variance that underflows to exactly 0 counts as 1e-6, without gradient.
/// A group without images is N(0, I).
Gaussian accumulate_evidence(const Gaussian& of_images, const Groups& groups);

/// Each image's copy [B, D] of its group's Gaussian [count, D].
Gaussian of_members(const Gaussian& of_groups, const Groups& groups);

}  // namespace vae::ml_vae
