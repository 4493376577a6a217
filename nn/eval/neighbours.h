#pragma once
// How generated images lie among real ones, told by balls about images that reach to their nearest
// neighbours: precision and recall (arXiv:1904.06991), density and coverage (arXiv:2002.09797).
#include "nn/eval/bootstrap.h"
#include "tensor/tensor.h"

namespace vae::eval {

struct Neighbours {
  Estimate precision;  ///< share of generated images within the ball of a real one
  Estimate recall;     ///< share of real images within the ball of a generated one
  Estimate density;    ///< mean number of balls of real images about a generated one, over their neighbours
  Estimate coverage;   ///< share of real images with a generated one in their ball
};
struct NeighbourSettings {
  int64_t precision = 3;  ///< balls of precision and recall reach to this neighbour,
  int64_t density = 5;    ///< those of density and coverage to this one
  int64_t resamples = 20;
  uint64_t seed = 1;
};

/// Of features [n, d] of either kind. A ball has the distance of the k-th neighbour of the same set, the
/// image itself not counted, and its rim belongs to it. Standard errors are those of half samples
/// (bootstrap.h), where these have so many neighbours. Distances are computed block by block in f64. Throws
/// Error(data) where a set has no k-th neighbour, for another width, or a feature that is not finite.
Neighbours neighbours(const Tensor& real, const Tensor& generated, const NeighbourSettings& settings = {},
                      const OnProgress& on_progress = {});

}  // namespace vae::eval
