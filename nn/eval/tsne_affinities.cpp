#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/simd.h"
#include "nn/eval/tsne.h"
#include "tensor/parallel.h"

namespace vae::eval::detail {
namespace {

VAE_CLONES float squared_distance(const float* a, const float* b, int64_t n) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t d = 0; d < n; ++d) sum += (a[d] - b[d]) * (a[d] - b[d]);
  return sum;
}

/// The k nearest others of a point, by distance and, among equals, by number.
std::vector<int64_t> nearest(std::span<const float> distances, int64_t self, int64_t k) {
  std::vector<int64_t> others(distances.size());
  std::iota(others.begin(), others.end(), int64_t{0});
  others.erase(others.begin() + self);
  const auto closer = [&](int64_t a, int64_t b) {
    return distances[a] != distances[b] ? distances[a] < distances[b] : a < b;
  };
  std::nth_element(others.begin(), others.begin() + (k - 1), others.end(), closer);
  others.resize(static_cast<size_t>(k));
  std::sort(others.begin(), others.end());
  return others;
}

/// Weights e^(-beta d) of the distances, normalised, with beta such that their entropy is log(perplexity).
/// Among more than `perplexity` equal distances there is no such beta: the search is bounded.
std::vector<double> weights_of(const std::vector<double>& distances, double perplexity) {
  constexpr int kHalvings = 100;
  constexpr double kEnough = 1e-5;  // of the entropy
  const double least = *std::min_element(distances.begin(), distances.end());
  std::vector<double> weights(distances.size());
  double beta = 1, low = 0, high = INFINITY;
  for (int i = 0; i < kHalvings; ++i) {
    double sum = 0, mean = 0;
    for (size_t j = 0; j < weights.size(); ++j) {
      weights[j] = std::exp(-beta * (distances[j] - least));
      sum += weights[j];
      mean += weights[j] * (distances[j] - least);
    }
    for (double& w : weights) w /= sum;
    const double excess = std::log(sum) + beta * mean / sum - std::log(perplexity);
    if (std::abs(excess) < kEnough) break;
    (excess > 0 ? low : high) = beta;
    beta = std::isinf(high) ? 2 * beta : (low + high) / 2;
  }
  return weights;
}

/// (P + P^T) / 2N of the rows' weights.
Affinities symmetric(const std::vector<int64_t>& neighbour, const std::vector<double>& weight,
                     int64_t points) {
  const int64_t k = static_cast<int64_t>(neighbour.size()) / points;
  std::vector<std::vector<std::pair<int64_t, double>>> rows(static_cast<size_t>(points));
  for (int64_t e = 0; e < points * k; ++e) {
    const double half = weight[e] / (2 * static_cast<double>(points));
    rows[e / k].push_back({neighbour[e], half});
    rows[neighbour[e]].push_back({e / k, half});
  }
  Affinities p{.begin = {0}, .neighbour = {}, .weight = {}};
  for (auto& row : rows) {
    std::sort(row.begin(), row.end());
    for (size_t e = 0; e < row.size(); ++e) {
      const bool mutual = e + 1 < row.size() && row[e + 1].first == row[e].first;
      p.neighbour.push_back(row[e].first);
      p.weight.push_back(static_cast<float>(row[e].second + (mutual ? row[e + 1].second : 0)));
      e += mutual;
    }
    p.begin.push_back(static_cast<int64_t>(p.neighbour.size()));
  }
  return p;
}

}  // namespace

void squared_distances(const Tensor& x, int64_t from, std::span<float> out) {
  const int64_t dims = x.size(1);
  const float* values = x.data<float>();
  for (size_t j = 0; j < out.size(); ++j)
    out[j] = squared_distance(values + from * dims, values + static_cast<int64_t>(j) * dims, dims);
}

Affinities affinities(const Tensor& x, double perplexity) {
  const int64_t points = x.size(0), k = static_cast<int64_t>(3 * perplexity);
  std::vector<int64_t> neighbour(points * k);
  std::vector<double> weight(points * k);
  parallel_for(points, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> distances(points);
    for (int64_t i = begin; i < end; ++i) {
      squared_distances(x, i, distances);
      const std::vector<int64_t> chosen = nearest(distances, i, k);
      std::vector<double> theirs;
      for (const int64_t j : chosen) theirs.push_back(distances[j]);
      std::ranges::copy(chosen, neighbour.begin() + i * k);
      std::ranges::copy(weights_of(theirs, perplexity), weight.begin() + i * k);
    }
  });
  return symmetric(neighbour, weight, points);
}

}  // namespace vae::eval::detail
