#include "nn/eval/kernel_distance.h"

#include <algorithm>
#include <cmath>

#include "kernels/kernels.h"
#include "nn/eval/rows.h"
#include "tensor/permutation.h"

namespace vae::eval {
namespace {

struct Sums {
  double all = 0, diagonal = 0;
};

/// Sums of the kernel over all pairs of rows, and over pairs of the same number.
Sums kernel_sums(const Tensor& x, const Tensor& y) {
  const Tensor products = Tensor::empty({x.size(0), y.size(0)}, DType::f64);
  kernels::gemm(x, kernels::Transpose::no, y, kernels::Transpose::yes, products,
                1 / static_cast<double>(x.size(1)), 0);
  Sums sums;
  const auto kernel = [](double product) { return (product + 1) * (product + 1) * (product + 1); };
  for (int64_t i = 0; i < x.size(0); ++i) {
    const double* row = products.data<double>() + i * y.size(0);
    double of_row = 0;
    for (int64_t j = 0; j < y.size(0); ++j) of_row += kernel(row[j]);
    sums.all += of_row;
    if (i < y.size(0)) sums.diagonal += kernel(row[i]);
  }
  return sums;
}

void check_pair(const Tensor& x, const Tensor& y) {
  check_features(x), check_features(y);
  if (x.size(1) != y.size(1))
    fail(ErrorKind::data, "features of width {} against those of width {}", x.size(1), y.size(1));
  if (const int64_t fewer = std::min(x.size(0), y.size(0)); fewer < 2)
    fail(ErrorKind::data, "a kernel distance needs two images or more, got {}", fewer);
}

/// Of f64 rows.
double discrepancy(const Tensor& x, const Tensor& y) {
  const auto within = [](const Tensor& rows) {
    const auto n = static_cast<double>(rows.size(0));
    const Sums sums = kernel_sums(rows, rows);
    return (sums.all - sums.diagonal) / (n * (n - 1));
  };
  return within(x) + within(y) - 2 * kernel_sums(x, y).all / static_cast<double>(x.size(0) * y.size(0));
}

}  // namespace

double squared_discrepancy(const Tensor& x, const Tensor& y) {
  check_pair(x, y);
  return discrepancy(rows_f64(x, 0, x.size(0)), rows_f64(y, 0, y.size(0)));
}

KernelDistance kernel_distance(const Tensor& x, const Tensor& y, const KernelDistanceSettings& settings,
                               const OnProgress& on_progress) {
  check_pair(x, y);
  const int64_t fewer = std::min(x.size(0), y.size(0));
  const int64_t size = std::max<int64_t>(2, std::min(settings.size, fewer / 2));
  const auto subset = [&](const Tensor& features, const char* stream, int64_t number) {
    const IndexPermutation order(features.size(0));
    std::vector<int64_t> items(static_cast<size_t>(size));
    for (int64_t i = 0; i < size; ++i)
      items[i] = order(RandomKey::named(settings.seed, stream), static_cast<uint64_t>(number), i);
    return rows_f64(features, items);
  };
  std::vector<double> values;
  for (int64_t s = 0; s < settings.subsets; ++s) {
    values.push_back(discrepancy(subset(x, "subset/x", s), subset(y, "subset/y", s)));
    if (on_progress) on_progress(s + 1, settings.subsets);
  }
  KernelDistance result{mean_of(values), spread(values), settings.subsets, size};
  // Beside that of the images, the error of a mean over finitely many subsets.
  result.distance.error =
      std::hypot(result.distance.error,
                 result.spread * std::sqrt(static_cast<double>(size) / static_cast<double>(fewer - size)));
  return result;
}

}  // namespace vae::eval
