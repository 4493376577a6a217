#pragma once
// How far a number that was computed from a sample of images may be off.
#include <functional>
#include <limits>
#include <span>
#include <vector>

#include "tensor/philox.h"

namespace vae::eval {

/// A number with its standard error, NaN where that is not known.
struct Estimate {
  double value = 0;
  double error = std::numeric_limits<double>::quiet_NaN();

  /// The ends of the interval that covers 95 % of a normal distribution.
  double low() const { return value - 1.96 * error; }
  double high() const { return value + 1.96 * error; }
};

/// Told how much is done of how much.
using OnProgress = std::function<void(int64_t done, int64_t total)>;

/// Half of the numbers 0 to n - 1, rounded down, in random order; `step` numbers the draws of a key.
std::vector<int64_t> half_sample(int64_t n, RandomKey key, uint64_t step);

/// Standard errors of numbers computed from two sets of n and m images: their spread over random halves of
/// both, given to `numbers` by the indices of their images. A half is as far off the whole as the whole is
/// off all images there are; unlike draws with replacement it has no doubles, which are their own neighbours.
std::vector<double> half_sample_errors(
    int64_t n, int64_t m, int64_t resamples, uint64_t seed,
    const std::function<std::vector<double>(std::span<const int64_t>, std::span<const int64_t>)>& numbers);

/// The mean of numbers and its standard error.
Estimate mean_of(const std::vector<double>& values);

/// Sample standard deviation; NaN of fewer than two.
double spread(const std::vector<double>& values);

}  // namespace vae::eval
