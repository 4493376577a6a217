#include "nn/eval/bootstrap.h"

#include <cmath>
#include <numeric>

#include "tensor/permutation.h"

namespace vae::eval {

std::vector<int64_t> half_sample(int64_t n, RandomKey key, uint64_t step) {
  const IndexPermutation order(n);
  std::vector<int64_t> items(static_cast<size_t>(n / 2));
  for (int64_t i = 0; i < n / 2; ++i) items[i] = order(key, step, i);
  return items;
}

std::vector<double> half_sample_errors(
    int64_t n, int64_t m, int64_t resamples, uint64_t seed,
    const std::function<std::vector<double>(std::span<const int64_t>, std::span<const int64_t>)>& numbers) {
  const auto first = RandomKey::named(seed, "half/first"), second = RandomKey::named(seed, "half/second");
  std::vector<std::vector<double>> values;  // of each number
  for (uint64_t r = 0; r < static_cast<uint64_t>(resamples); ++r) {
    const std::vector<double> of_halves = numbers(half_sample(n, first, r), half_sample(m, second, r));
    values.resize(of_halves.size());
    for (size_t i = 0; i < of_halves.size(); ++i) values[i].push_back(of_halves[i]);
  }
  std::vector<double> errors;
  for (const std::vector<double>& of_number : values) errors.push_back(spread(of_number));
  return errors;
}

Estimate mean_of(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  return {std::accumulate(values.begin(), values.end(), 0.0) / n, spread(values) / std::sqrt(n)};
}

double spread(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double v : values) squares += (v - mean) * (v - mean);
  return n < 2 ? std::numeric_limits<double>::quiet_NaN() : std::sqrt(squares / (n - 1));
}

}  // namespace vae::eval
