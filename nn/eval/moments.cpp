#include "nn/eval/moments.h"

#include <algorithm>
#include <cmath>

#include "kernels/kernels.h"
#include "nn/eval/rows.h"

namespace vae::eval {

Moments::Moments(int64_t width)
    : mean_(Tensor::zeros({width}, DType::f64)), scatter_(Tensor::zeros({width, width}, DType::f64)) {}

void Moments::add(const Tensor& features) {
  check_features(features);
  if (features.size(1) != mean_.numel())
    fail(ErrorKind::data, "features of width {} beside those of width {}", features.size(1), mean_.numel());
  for (int64_t begin = 0; begin < features.size(0); begin += kRows)
    add_block(rows_f64(features, begin, std::min(features.size(0), begin + kRows)));
}

// The scatter about the common mean is that about either mean and a product of the difference of the means
// (Chan, Golub and LeVeque 1983), which joins the centred rows as one more: nothing large cancels.
void Moments::add_block(const Tensor& rows) {
  const int64_t n = rows.size(0), d = rows.size(1);
  const Tensor centred = Tensor::empty({n + 1, d}, DType::f64);
  const double *x = rows.data<double>(), all = static_cast<double>(count_ + n);
  double *mean = mean_.data<double>(), *out = centred.data<double>(), *difference = out + n * d;
  std::fill_n(difference, d, 0);
  for (int64_t r = 0; r < n; ++r)
    for (int64_t i = 0; i < d; ++i) difference[i] += x[r * d + i] - mean[i];
  for (int64_t i = 0; i < d; ++i) difference[i] /= static_cast<double>(n);
  for (int64_t r = 0; r < n; ++r)
    for (int64_t i = 0; i < d; ++i) out[r * d + i] = x[r * d + i] - mean[i] - difference[i];
  const double weight = std::sqrt(static_cast<double>(count_) * static_cast<double>(n) / all);
  for (int64_t i = 0; i < d; ++i) {
    mean[i] += difference[i] * (static_cast<double>(n) / all);
    difference[i] *= weight;
  }
  kernels::gemm(centred, kernels::Transpose::yes, centred, kernels::Transpose::no, scatter_, 1, 1);
  count_ += n;
}

Statistics Moments::statistics() const {
  if (count_ < 2) fail(ErrorKind::data, "a covariance needs two images or more, got {}", count_);
  const Tensor covariance = scatter_.clone();
  const int64_t d = mean_.numel();
  double* c = covariance.data<double>();
  for (int64_t i = 0; i < d * d; ++i) c[i] /= static_cast<double>(count_ - 1);
  return {.count = count_, .mean = mean_.clone(), .covariance = covariance};
}

Statistics statistics(const Tensor& features) {
  Moments moments(features.size(1));
  moments.add(features);
  return moments.statistics();
}

}  // namespace vae::eval
