#include <algorithm>
#include <numeric>

#include "nn/eval/tsne.h"
#include "tensor/parallel.h"

namespace vae::eval {
namespace {

/// All other points of one point by distance, among equals by number.
std::vector<int64_t> by_distance(const Tensor& x, int64_t from) {
  std::vector<float> distances(static_cast<size_t>(x.size(0)));
  detail::squared_distances(x, from, distances);
  std::vector<int64_t> others(distances.size());
  std::iota(others.begin(), others.end(), int64_t{0});
  others.erase(others.begin() + from);
  std::stable_sort(others.begin(), others.end(),
                   [&](int64_t a, int64_t b) { return distances[a] < distances[b]; });
  return others;
}

}  // namespace

double trustworthiness(const Tensor& x, const Tensor& embedding, int64_t k) {
  const int64_t n = x.size(0);
  VAE_CHECK(embedding.size(0) == n, "trustworthiness of {} points in {}", n, embedding.str());
  if (k < 1 || 2 * k >= n) fail(ErrorKind::usage, "trustworthiness of {} neighbours among {} points", k, n);
  std::vector<int64_t> intruded(static_cast<size_t>(n));
  parallel_for(n, 1, [&](int64_t begin, int64_t end) {
    std::vector<int64_t> rank(static_cast<size_t>(n));
    for (int64_t i = begin; i < end; ++i) {
      const std::vector<int64_t> original = by_distance(x, i), embedded = by_distance(embedding, i);
      for (size_t r = 0; r < original.size(); ++r) rank[original[r]] = static_cast<int64_t>(r) + 1;
      for (int64_t j = 0; j < k; ++j) intruded[i] += std::max<int64_t>(0, rank[embedded[j]] - k);
    }
  });
  const auto total = static_cast<double>(std::accumulate(intruded.begin(), intruded.end(), int64_t{0}));
  return 1 - 2 * total / (static_cast<double>(n * k) * static_cast<double>(2 * n - 3 * k - 1));
}

}  // namespace vae::eval
