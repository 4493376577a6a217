#pragma once
// The Frechet distance of two Gaussians, by which sets of images are compared (arXiv:1706.08500).
#include "nn/eval/bootstrap.h"
#include "nn/eval/moments.h"

namespace vae::eval {

/// |m1 - m2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2) of means and covariances, in f64. Not clamped: of equal
/// sets it is zero but for rounding. Singular covariances, as of fewer images than features, are as good as
/// others. Throws Error(data) for different widths.
double frechet_distance(const Statistics& a, const Statistics& b);

/// A set of images as the distance sees it. Without features, as of statistics that were stored, it counts
/// as known exactly.
struct Sample {
  Statistics statistics;
  Tensor features{};  ///< f32 or f64 [n, d], which the statistics are of
};

/// The distance with its standard error by half samples (bootstrap.h) of those sets that have features of
/// four images or more; none without such a set.
Estimate frechet_estimate(const Sample& a, const Sample& b, int64_t resamples, uint64_t seed,
                          const OnProgress& on_progress = {});

}  // namespace vae::eval
