// Streamed means and covariances against the plain formulas.
#include "nn/eval/moments.h"

#include <gtest/gtest.h>

#include "tests/expect_error.h"
#include "tests/numeric.h"

namespace vae::eval {
namespace {

/// By two passes in long double.
Statistics by_two_passes(const Tensor& x) {
  const int64_t n = x.size(0), d = x.size(1);
  const std::vector<double> values = to_doubles(x);
  std::vector<long double> mean(d, 0);
  for (int64_t r = 0; r < n; ++r)
    for (int64_t i = 0; i < d; ++i) mean[i] += values[r * d + i] / static_cast<long double>(n);
  std::vector<double> covariance;
  for (int64_t i = 0; i < d; ++i)
    for (int64_t j = 0; j < d; ++j) {
      long double sum = 0;
      for (int64_t r = 0; r < n; ++r) sum += (values[r * d + i] - mean[i]) * (values[r * d + j] - mean[j]);
      covariance.push_back(static_cast<double>(sum / (n - 1)));
    }
  return {n, test::tensor_of({mean.begin(), mean.end()}, {d}, DType::f64),
          test::tensor_of(covariance, {d, d}, DType::f64)};
}

void expect_near(const Statistics& actual, const Statistics& expected, double relative) {
  EXPECT_EQ(actual.count, expected.count);
  const auto largest = [](const Tensor& x) {
    double most = 0;
    for (const double v : to_doubles(x)) most = std::max(most, std::abs(v));
    return most;
  };
  for (const auto& [a, e] : {std::pair(actual.mean, expected.mean), {actual.covariance, expected.covariance}})
    for (int64_t i = 0; i < e.numel(); ++i)
      EXPECT_NEAR(a.data<double>()[i], e.data<double>()[i], relative * largest(e)) << i;
}

TEST(Moments, AreThoseOfTheFormulasHoweverRowsAreBatched) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Tensor x = test::sample_tensor({2500, 5}, dtype);  // more than two blocks
    const Statistics expected = by_two_passes(x);
    expect_near(statistics(x), expected, 1e-14);
    for (const int64_t batch : {1, 7, 1024, 2499}) {
      Moments moments(5);
      for (int64_t begin = 0; begin < 2500; begin += batch)
        moments.add(x.slice(begin, std::min<int64_t>(2500, begin + batch)));
      EXPECT_EQ(moments.count(), 2500);
      expect_near(moments.statistics(), expected, 1e-14);
    }
  }
}

// Far from zero, squares minus the square of the mean would keep no digit at all.
TEST(Moments, DoNotCancel) {
  std::vector<double> values = test::sample(3000 * 2, -1, 1);
  for (double& v : values) v += 1e9;
  const Tensor x = test::tensor_of(values, {3000, 2}, DType::f64);
  Moments moments(2);
  for (int64_t begin = 0; begin < 3000; begin += 10) moments.add(x.slice(begin, begin + 10));
  const Statistics expected = by_two_passes(x), actual = moments.statistics();
  for (int64_t i = 0; i < 4; ++i)
    EXPECT_NEAR(actual.covariance.data<double>()[i], expected.covariance.data<double>()[i], 1e-6);
}

TEST(Moments, RefuseWhatHasNone) {
  using test::expect_error;
  expect_error(ErrorKind::data, "two images or more, got 1", [] {
    statistics(test::sample_tensor({1, 3}, DType::f32));
  });
  expect_error(ErrorKind::data, "two images or more, got 0", [] { Moments(3).statistics(); });
  expect_error(ErrorKind::data, "width 4 beside those of width 3", [] {
    Moments(3).add(test::sample_tensor({2, 4}, DType::f32));
  });
  for (const double bad : std::vector<double>{NAN, INFINITY, -INFINITY})
    for (const DType dtype : {DType::f32, DType::f64})
      expect_error(ErrorKind::data, "not finite", [&] {
        statistics(test::tensor_of({1, 2, 3, bad}, {2, 2}, dtype));
      });
}

}  // namespace
}  // namespace vae::eval
