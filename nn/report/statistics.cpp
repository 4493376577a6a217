#include "nn/report/statistics.h"

#include <fmt/format.h>

#include <cmath>

namespace vae::report {

std::string MeanStd::str(int decimals) const {
  if (count < 2) return fmt::format("{:.{}f}", mean, decimals);
  return fmt::format("{:.{}f} \u00b1 {:.{}f} ({} runs)", mean, decimals, std, decimals, count);
}

MeanStd mean_std(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (const double value : values) sum += value;
  const double mean = sum / n;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {mean, values.size() > 1 ? std::sqrt(squares / (n - 1)) : NAN, values.size()};
}

std::string percent(double share) { return std::isnan(share) ? "-" : fmt::format("{:.1f}%", 100 * share); }

}  // namespace vae::report
