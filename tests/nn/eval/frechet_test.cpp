// The Frechet distance where it is known in closed form.
#include "nn/eval/frechet.h"

#include <gtest/gtest.h>

#include "tests/expect_error.h"
#include "tests/numeric.h"

namespace vae::eval {
namespace {

using Vector = std::vector<double>;

Statistics gaussian(const Vector& mean, const Vector& covariance) {
  const auto d = static_cast<int64_t>(mean.size());
  return {100, test::tensor_of(mean, {d}, DType::f64), test::tensor_of(covariance, {d, d}, DType::f64)};
}

Statistics diagonal(const Vector& mean, const Vector& variances) {
  Vector covariance(mean.size() * mean.size(), 0);
  for (size_t i = 0; i < mean.size(); ++i) covariance[i * (mean.size() + 1)] = variances[i];
  return gaussian(mean, covariance);
}

/// Rows of x in another order.
Tensor reversed(const Tensor& x) {
  Vector values;
  for (int64_t r = x.size(0); r-- > 0;)
    for (const double v : to_doubles(x.slice(r, r + 1))) values.push_back(v);
  return test::tensor_of(values, x.shape(), x.dtype());
}

/// Features as nets give them: some always zero, scales from 1 to 1e-4.
Tensor features(int64_t n, int64_t d, uint64_t stream) {
  Vector values = test::sample(n * d, -1, 2, stream);
  for (size_t i = 0; i < values.size(); ++i) {
    const auto column = static_cast<double>(i % d);
    values[i] = std::max(values[i], 0.0) * std::pow(10, -4 * column / static_cast<double>(d));
    if (i % d % 7 == 3) values[i] = 0;
  }
  return test::tensor_of(values, {n, d}, DType::f32);
}

TEST(Frechet, OfDiagonalGaussians) {
  // |m1 - m2|^2 + sum (s1 - s2)^2 of standard deviations
  EXPECT_NEAR(frechet_distance(diagonal({0, 0, 0}, {1, 4, 9}), diagonal({1, 2, -2}, {4, 4, 1})),
              9 + 1 + 0 + 4, 1e-12);
  EXPECT_NEAR(frechet_distance(diagonal({0, 0}, {0, 4}), diagonal({0, 0}, {9, 0})), 13, 1e-12);
  EXPECT_EQ(frechet_distance(diagonal({1, 2}, {0, 0}), diagonal({1, 4}, {0, 0})), 4);
}

TEST(Frechet, OfCovariancesThatDoNotCommute) {
  // In two dimensions tr sqrt(S1 S2) = sqrt(tr(S1 S2) + 2 sqrt(det S1 det S2)).
  const Vector s1{2, 1, 1, 3}, s2{5, -2, -2, 1};
  const double cross = std::sqrt(2 * 5 + 2 * 1 * -2 + 3 * 1 + 2 * std::sqrt(5.0 * 1.0));
  EXPECT_NEAR(frechet_distance(gaussian({0, 0}, s1), gaussian({0, 0}, s2)), 5 + 6 - 2 * cross, 1e-12);
}

TEST(Frechet, OfASetAgainstItselfIsZero) {
  for (const auto& [n, d] : {std::pair<int64_t, int64_t>{400, 40}, {30, 60}, {2, 9}, {500, 1}}) {
    const Tensor x = features(n, d, 1);
    const Statistics s = statistics(x);
    EXPECT_NEAR(frechet_distance(s, s), 0, 1e-9) << n << " x " << d;
    EXPECT_NEAR(frechet_distance(s, statistics(reversed(x))), 0, 1e-9) << n << " x " << d;
  }
}

TEST(Frechet, DoesNotChangeWithOrderShiftAndRotation) {
  const Tensor x = features(60, 8, 1), y = features(50, 8, 2);
  const double distance = frechet_distance(statistics(x), statistics(y));
  EXPECT_GT(distance, 1e-3);
  EXPECT_NEAR(frechet_distance(statistics(y), statistics(x)), distance, 1e-12);
  EXPECT_NEAR(frechet_distance(statistics(reversed(x)), statistics(y)), distance, 1e-12);
  // The first two columns turned by 0.6, 0.8, and scaled by two: the square of the scale.
  const auto turned = [](const Tensor& t) {
    Vector values = to_doubles(t);
    for (size_t i = 0; i < values.size(); i += 8) {
      const double a = values[i], b = values[i + 1];
      values[i] = 0.6 * a - 0.8 * b, values[i + 1] = 0.8 * a + 0.6 * b;
      for (size_t j = 0; j < 8; ++j) values[i + j] = 2 * values[i + j] + 5;
    }
    return test::tensor_of(values, t.shape(), DType::f64);
  };
  EXPECT_NEAR(frechet_distance(statistics(turned(x)), statistics(turned(y))), 4 * distance, 1e-11);
}

TEST(Frechet, OfFewerImagesThanFeatures) {
  // Sets in orthogonal planes: the square root of the product vanishes, the traces stay.
  Vector a(4 * 6, 0), b(5 * 6, 0);
  for (int r = 0; r < 4; ++r) a[r * 6 + r % 2] = r;
  for (int r = 0; r < 5; ++r) b[r * 6 + 3 + r % 2] = r;
  const Statistics x = statistics(test::tensor_of(a, {4, 6}, DType::f64)),
                   y = statistics(test::tensor_of(b, {5, 6}, DType::f64));
  double expected = 0;
  for (int i = 0; i < 6; ++i) {
    const double difference = x.mean.data<double>()[i] - y.mean.data<double>()[i];
    expected +=
        x.covariance.data<double>()[7 * i] + y.covariance.data<double>()[7 * i] + difference * difference;
  }
  EXPECT_NEAR(frechet_distance(x, y), expected, 1e-12);
}

TEST(Frechet, RefusesOtherWidths) {
  test::expect_error(ErrorKind::data, "width 3 against those of width 2", [] {
    frechet_distance(diagonal({0, 0, 0}, {1, 1, 1}), diagonal({0, 0}, {1, 1}));
  });
}

}  // namespace
}  // namespace vae::eval
