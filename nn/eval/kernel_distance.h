#pragma once
// The kernel inception distance (arXiv:1801.01401): the squared maximum mean discrepancy of two sets of
// features under a polynomial kernel.
#include "nn/eval/bootstrap.h"
#include "tensor/tensor.h"

namespace vae::eval {

/// The unbiased estimate of the squared discrepancy of rows x [m, d] and y [n, d] under (x y / d + 1)^3; it
/// may be negative. Throws Error(data) for fewer than two rows, another width, or a feature that is not
/// finite.
double squared_discrepancy(const Tensor& x, const Tensor& y);

struct KernelDistance {
  Estimate distance;  ///< mean over the subsets
  double spread = 0;  ///< over the subsets
  int64_t subsets = 0, size = 0;
};
struct KernelDistanceSettings {
  int64_t subsets = 100;
  int64_t size = 1000;  ///< images of a subset, at most half of the smaller set
  uint64_t seed = 1;
};

/// The discrepancy over random subsets of both sets, each without repeated images. The standard error is that
/// of subsampling: the variance over subsets of m of n images, times m / (n - m), is that of the whole sets.
KernelDistance kernel_distance(const Tensor& x, const Tensor& y, const KernelDistanceSettings& settings,
                               const OnProgress& on_progress = {});

}  // namespace vae::eval
