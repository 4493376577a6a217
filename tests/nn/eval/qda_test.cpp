// Quadratic discriminant analysis against the formula with an inverse and a determinant worked out by hand.
#include "nn/eval/qda.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/expect_error.h"
#include "tests/numeric.h"

namespace vae::eval {
namespace {

struct Set {
  Tensor x, labels;
};

/// Classes of different centres, shapes and sizes in the plane.
Set make_set(int64_t rows, uint64_t stream) {
  const std::vector<double> u = test::sample(4 * rows, -1, 1, stream);
  std::vector<double> x;
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < rows; ++i) {
    const double *v = &u[4 * i], a = v[0] + v[1], b = v[2] + v[3];
    const int64_t label = i % 7 < 4 ? 0 : i % 7 < 6 ? 1 : 2;
    x.push_back(label == 0 ? a : label == 1 ? 2 + 0.5 * a : 1 + a);
    x.push_back(label == 0 ? b : label == 1 ? 0.4 * a + 0.2 * b : -1 + 0.3 * a - 0.8 * b);
    labels.push_back(label);
  }
  return {test::tensor_of(x, {rows, 2}, DType::f32), Tensor::from(labels, {rows})};
}

/// log share - log det(S) / 2 - (x - m)^T S^-1 (x - m) / 2 of one class, 2 x 2.
double score(const Set& set, int64_t label, double ridge, const double* at) {
  const std::vector<double> x = to_doubles(set.x);
  double n = 0, m[2] = {}, s[3] = {ridge, 0, ridge};
  const int64_t* labels = set.labels.data<int64_t>();
  for (int64_t i = 0; i < set.labels.numel(); ++i)
    if (labels[i] == label) ++n, m[0] += x[2 * i], m[1] += x[2 * i + 1];
  m[0] /= n, m[1] /= n;
  for (int64_t i = 0; i < set.labels.numel(); ++i)
    if (labels[i] == label) {
      const double d[2] = {x[2 * i] - m[0], x[2 * i + 1] - m[1]};
      s[0] += d[0] * d[0] / (n - 1), s[1] += d[0] * d[1] / (n - 1), s[2] += d[1] * d[1] / (n - 1);
    }
  const double det = s[0] * s[2] - s[1] * s[1], d[2] = {at[0] - m[0], at[1] - m[1]};
  const double squares = (s[2] * d[0] * d[0] - 2 * s[1] * d[0] * d[1] + s[0] * d[1] * d[1]) / det;
  return std::log(n / static_cast<double>(set.labels.numel())) - 0.5 * std::log(det) - 0.5 * squares;
}

TEST(Qda, PredictsTheMostProbableClass) {
  const Set fit = make_set(700, 1), other = make_set(300, 2);
  for (const double ridge : {0.0, 0.5}) {
    const Qda qda(fit.x, fit.labels, 3, ridge);
    const std::vector<int64_t> predicted = qda.predict(other.x);
    const std::vector<double> x = to_doubles(other.x);
    int64_t right = 0;
    for (size_t i = 0; i < predicted.size(); ++i) {
      int64_t best = 0;
      for (int64_t c = 1; c < 3; ++c)
        if (score(fit, c, ridge, &x[2 * i]) > score(fit, best, ridge, &x[2 * i])) best = c;
      EXPECT_EQ(predicted[i], best) << i;
      right += best == other.labels.data<int64_t>()[i];
    }
    EXPECT_DOUBLE_EQ(qda.accuracy(other.x, other.labels), static_cast<double>(right) / 300);
    EXPECT_GT(right, 200) << "the set is meant to be separable to this extent";
    EXPECT_LT(right, 300);
  }
}

// Classes of four and two rows: variances of 4/3 and 0.18, where a division by n would give 1 and 0.09.
TEST(Qda, VariancesAreThoseOfTheSample) {
  const Tensor x = test::tensor_of({-1, -1, 1, 1, -0.3, 0.3}, {6, 1}, DType::f32),
               labels = Tensor::from(std::vector<int64_t>{0, 0, 0, 0, 1, 1}, {6});
  const auto scores = [](double at, double v0, double v1) {
    return std::pair{std::log(2.0 / 3) - 0.5 * std::log(v0) - 0.5 * at * at / v0,
                     std::log(1.0 / 3) - 0.5 * std::log(v1) - 0.5 * at * at / v1};
  };
  const Qda qda(x, labels, 2, 0);
  int by_n_differs = 0;
  for (int i = 0; i <= 40; ++i) {
    const double at = 0.01 * i;
    const auto [s0, s1] = scores(at, 4.0 / 3, 0.18);
    const auto [n0, n1] = scores(at, 1, 0.09);
    EXPECT_EQ(qda.predict(test::tensor_of({at}, {1, 1}, DType::f32))[0], s1 > s0) << at;
    by_n_differs += (s1 > s0) != (n1 > n0);
  }
  EXPECT_GT(by_n_differs, 0) << "the points tell the two apart";
}

TEST(Qda, AClassOfLessThanTwoRowsIsNeverPredicted) {
  const Set set = make_set(70, 1);
  std::vector<int64_t> labels = set.labels.to_vector<int64_t>();
  std::ranges::replace(labels, int64_t{2}, int64_t{4});  // 2 has no row, 3 has one
  labels[0] = 3;
  const Tensor given = Tensor::from(labels, {70});
  const std::vector<int64_t> predicted = Qda(set.x, given, 5, 1e-3).predict(set.x);
  for (const int64_t c : {0, 1, 4}) EXPECT_GT(std::ranges::count(predicted, c), 0) << c;
  for (const int64_t c : {2, 3}) EXPECT_EQ(std::ranges::count(predicted, c), 0) << c;
}

TEST(Qda, Refuses) {
  const Set set = make_set(70, 1);
  test::expect_error(ErrorKind::data, "label 2", [&] { Qda(set.x, set.labels, 2, 0); });
  const Tensor apart = Tensor::from(std::vector<int64_t>{0, 2}, {2});
  test::expect_error(ErrorKind::data, "none of 3 classes has two rows",
                     [&] { Qda(set.x.slice(0, 2), apart, 3, 1e-3); });
  const Tensor flat = Tensor::zeros({70, 2});
  test::expect_error(ErrorKind::data, "singular", [&] { Qda(flat, set.labels, 3, 0); });
  EXPECT_NO_THROW(Qda(flat, set.labels, 3, 1e-3));
}

}  // namespace
}  // namespace vae::eval
