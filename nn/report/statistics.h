#pragma once
// Mean and spread of a number over several runs; shares as text.
#include <span>
#include <string>

namespace vae::report {

struct MeanStd {
  double mean = 0;
  double std = 0;  ///< of the sample (n - 1 in the denominator); NaN for fewer than two values
  size_t count = 0;

  /// "0.9018 ± 0.0021 (3 runs)", or the bare mean for a single value.
  std::string str(int decimals = 4) const;
};

/// NaN mean without values.
MeanStd mean_std(std::span<const double> values);

/// A share as "97.3%"; "-" for NaN.
std::string percent(double share);

}  // namespace vae::report
