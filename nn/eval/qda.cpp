#include "nn/eval/qda.h"

#include <cmath>

namespace vae::eval {
namespace {

void check_rows(const Tensor& x, const Tensor& labels) {
  VAE_CHECK(
      x.rank() == 2 && x.dtype() == DType::f32 && labels.dtype() == DType::i64 && labels.numel() == x.size(0),
      "QDA of {} with labels {}", x.str(), labels.str());
}

/// In place; false where the matrix [n, n] is not positive definite.
bool cholesky(std::vector<double>& a, int64_t n) {
  for (int64_t j = 0; j < n; ++j) {
    for (int64_t k = 0; k < j; ++k)
      for (int64_t i = j; i < n; ++i) a[i * n + j] -= a[i * n + k] * a[j * n + k];
    if (!(a[j * n + j] > 0)) return false;
    const double root = std::sqrt(a[j * n + j]);
    for (int64_t i = j; i < n; ++i) a[i * n + j] /= root;
  }
  return true;
}

}  // namespace

Qda::Qda(const Tensor& x, const Tensor& labels, int64_t classes, double ridge) {
  check_rows(x, labels);
  dims_ = x.size(1);
  std::vector<std::vector<int64_t>> rows(static_cast<size_t>(classes));
  for (int64_t i = 0; i < labels.numel(); ++i) {
    const int64_t label = labels.data<int64_t>()[i];
    if (label < 0 || label >= classes) fail(ErrorKind::data, "QDA: label {} outside [0, {})", label, classes);
    rows[static_cast<size_t>(label)].push_back(i);
  }
  for (int64_t k = 0; k < classes; ++k)
    if (const auto& of_class = rows[static_cast<size_t>(k)]; of_class.size() >= 2)
      classes_.push_back(fit(x, k, of_class, ridge));
  if (classes_.empty()) fail(ErrorKind::data, "QDA: none of {} classes has two rows", classes);
}

Qda::Class Qda::fit(const Tensor& x, int64_t label, const std::vector<int64_t>& rows, double ridge) const {
  const auto n = static_cast<double>(rows.size());
  const float* values = x.data<float>();
  Class c{.label = label,
          .mean = std::vector<double>(dims_),
          .cholesky = std::vector<double>(dims_ * dims_),
          .log_weight = std::log(n / static_cast<double>(x.size(0)))};
  for (const int64_t r : rows)
    for (int64_t d = 0; d < dims_; ++d) c.mean[d] += values[r * dims_ + d] / n;
  for (const int64_t r : rows)
    for (int64_t i = 0; i < dims_; ++i)
      for (int64_t j = 0; j <= i; ++j)
        c.cholesky[i * dims_ + j] +=
            (values[r * dims_ + i] - c.mean[i]) * (values[r * dims_ + j] - c.mean[j]) / (n - 1);
  for (int64_t d = 0; d < dims_; ++d) c.cholesky[d * dims_ + d] += ridge;
  if (!cholesky(c.cholesky, dims_)) fail(ErrorKind::data, "QDA: a covariance is singular; use a ridge");
  for (int64_t d = 0; d < dims_; ++d) c.log_weight -= std::log(c.cholesky[d * dims_ + d]);
  return c;
}

double Qda::log_density(const Class& c, const float* x) const {
  double squares = 0;
  std::vector<double> whitened(dims_);  // L^-1 (x - mean)
  for (int64_t i = 0; i < dims_; ++i) {
    double v = x[i] - c.mean[i];
    for (int64_t j = 0; j < i; ++j) v -= c.cholesky[i * dims_ + j] * whitened[j];
    whitened[i] = v / c.cholesky[i * dims_ + i];
    squares += whitened[i] * whitened[i];
  }
  return c.log_weight - 0.5 * squares;
}

std::vector<int64_t> Qda::predict(const Tensor& x) const {
  VAE_CHECK(x.rank() == 2 && x.size(1) == dims_, "QDA of {} variables asked for {}", dims_, x.str());
  std::vector<int64_t> best(static_cast<size_t>(x.size(0)));
  for (size_t r = 0; r < best.size(); ++r) {
    const float* row = x.data<float>() + static_cast<int64_t>(r) * dims_;
    double most = -INFINITY;
    best[r] = classes_.front().label;
    for (const Class& c : classes_)
      if (const double density = log_density(c, row); density > most) most = density, best[r] = c.label;
  }
  return best;
}

double Qda::accuracy(const Tensor& x, const Tensor& labels) const {
  check_rows(x, labels);
  const std::vector<int64_t> predicted = predict(x);
  int64_t right = 0;
  for (size_t i = 0; i < predicted.size(); ++i) right += predicted[i] == labels.data<int64_t>()[i];
  return predicted.empty() ? 0 : static_cast<double>(right) / static_cast<double>(predicted.size());
}

}  // namespace vae::eval
