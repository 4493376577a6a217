#include "nn/eval/principal_axes.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "nn/eval/estimate.h"

namespace vae::eval {
namespace {

using Vector = std::vector<double>;

/// The centred columns' second moments.
std::vector<Vector> covariance(const Vector& x, size_t n, size_t d) {
  std::vector<Vector> c(d, Vector(d, 0));
  for (size_t r = 0; r < n; ++r)
    for (size_t i = 0; i < d; ++i)
      for (size_t j = 0; j <= i; ++j) c[i][j] += x[r * d + i] * x[r * d + j];
  for (size_t i = 0; i < d; ++i)
    for (size_t j = 0; j < i; ++j) c[j][i] = c[i][j];
  return c;
}

/// The direction of largest variance by the power method, orthogonal to `taken`.
Vector largest_axis(const std::vector<Vector>& c, const Vector& taken) {
  const size_t d = c.size();
  Vector axis(d);
  for (size_t i = 0; i < d; ++i)
    axis[i] = 1 + 0.1 * static_cast<double>(i % 7);  // not orthogonal to what is sought
  for (int iteration = 0; iteration < 500; ++iteration) {
    const double along = std::inner_product(axis.begin(), axis.end(), taken.begin(), 0.0);
    for (size_t i = 0; i < d; ++i) axis[i] -= along * taken[i];
    Vector next(d);
    for (size_t i = 0; i < d; ++i) next[i] = std::inner_product(axis.begin(), axis.end(), c[i].begin(), 0.0);
    const double norm = std::sqrt(std::inner_product(next.begin(), next.end(), next.begin(), 0.0));
    if (!(norm > 0)) return Vector(d, 0);
    for (size_t i = 0; i < d; ++i) axis[i] = next[i] / norm;
  }
  const auto largest = std::max_element(axis.begin(), axis.end(),
                                        [](double a, double b) { return std::abs(a) < std::abs(b); });
  if (*largest < 0)
    for (double& v : axis) v = -v;
  return axis;
}

}  // namespace

std::vector<std::array<double, 2>> on_principal_axes(const Tensor& x) {
  const auto n = static_cast<size_t>(x.size(0)), d = static_cast<size_t>(x.size(1));
  Vector values = to_doubles(x);
  for (size_t i = 0; i < d && n > 0; ++i) {
    double mean = 0;
    for (size_t r = 0; r < n; ++r) mean += values[r * d + i] / static_cast<double>(n);
    for (size_t r = 0; r < n; ++r) values[r * d + i] -= mean;
  }
  const std::vector<Vector> c = covariance(values, n, d);
  const Vector first = largest_axis(c, Vector(d, 0)), second = largest_axis(c, first);
  std::vector<std::array<double, 2>> points(n);
  for (size_t r = 0; r < n; ++r) {
    const auto row = values.begin() + static_cast<ptrdiff_t>(r * d);
    points[r] = {std::inner_product(first.begin(), first.end(), row, 0.0),
                 std::inner_product(second.begin(), second.end(), row, 0.0)};
  }
  return points;
}

}  // namespace vae::eval
