#include "nn/eval/frechet.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/kernels.h"
#include "nn/eval/linear_algebra.h"
#include "nn/eval/rows.h"

namespace vae::eval {
namespace {

/// F [r, d] with F^T F = S: the rows of the symmetric square root along the eigenvectors of S whose
/// eigenvalues are more than rounding; r is the rank.
Tensor root_of(const Tensor& covariance) {
  const Eigen eigen = symmetric_eigen(covariance);
  const int64_t d = covariance.size(0);
  const double largest = d > 0 ? std::max(eigen.values.back(), 0.0) : 0;
  const double rounding = static_cast<double>(d) * std::numeric_limits<double>::epsilon() * largest;
  int64_t first = 0;
  while (first < d && !(eigen.values[first] > rounding)) ++first;
  Tensor root = eigen.vectors.slice(first, d).clone();
  for (int64_t r = 0; r < d - first; ++r)
    for (int64_t i = 0; i < d; ++i) root.data<double>()[r * d + i] *= std::sqrt(eigen.values[first + r]);
  return root;
}

/// Statistics of some images of a sample.
Statistics part_of(const Sample& sample, std::span<const int64_t> items) {
  Moments moments(sample.statistics.width());
  for (size_t begin = 0; begin < items.size(); begin += kRows)
    moments.add(
        rows_f64(sample.features, items.subspan(begin, std::min<size_t>(kRows, items.size() - begin))));
  return moments.statistics();
}

double trace(const Tensor& a) {
  double sum = 0;
  for (int64_t i = 0; i < a.size(0); ++i) sum += a.data<double>()[i * (a.size(1) + 1)];
  return sum;
}

}  // namespace

// With S1 = F^T F and S2 = G^T G the eigenvalues of S1 S2 are the squares of the singular values of F G^T.
// These are computed without squares, of which small ones would drown in the rounding of large ones.
double frechet_distance(const Statistics& a, const Statistics& b) {
  if (a.width() != b.width())
    fail(ErrorKind::data, "features of width {} against those of width {}", a.width(), b.width());
  const Tensor f = root_of(a.covariance), g = root_of(b.covariance);
  const Tensor product = Tensor::empty({f.size(0), g.size(0)}, DType::f64);
  kernels::gemm(f, kernels::Transpose::no, g, kernels::Transpose::yes, product, 1, 0);
  const std::vector<double> singular = singular_values(product);
  double distance =
      trace(a.covariance) + trace(b.covariance) - 2 * std::accumulate(singular.begin(), singular.end(), 0.0);
  for (int64_t i = 0; i < a.width(); ++i) {
    const double difference = a.mean.data<double>()[i] - b.mean.data<double>()[i];
    distance += difference * difference;
  }
  return distance;
}

Estimate frechet_estimate(const Sample& a, const Sample& b, int64_t resamples, uint64_t seed,
                          const OnProgress& on_progress) {
  Estimate estimate{frechet_distance(a.statistics, b.statistics)};
  const auto varies = [](const Sample& s) { return s.features.defined() && s.features.size(0) >= 4; };
  if (!(varies(a) || varies(b)) || resamples < 2) return estimate;
  int64_t done = 0;
  const auto numbers = [&](std::span<const int64_t> of_a, std::span<const int64_t> of_b) {
    const double distance = frechet_distance(varies(a) ? part_of(a, of_a) : a.statistics,
                                             varies(b) ? part_of(b, of_b) : b.statistics);
    if (on_progress) on_progress(++done, resamples);
    return std::vector{distance};
  };
  estimate.error =
      half_sample_errors(a.statistics.count, b.statistics.count, resamples, seed, numbers).front();
  return estimate;
}

}  // namespace vae::eval
