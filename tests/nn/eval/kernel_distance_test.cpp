// The kernel distance against plain sums over pairs.
#include "nn/eval/kernel_distance.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/expect_error.h"
#include "tests/numeric.h"

namespace vae::eval {
namespace {

double kernel(const Tensor& x, int64_t i, const Tensor& y, int64_t j) {
  const std::vector<double> a = to_doubles(x.slice(i, i + 1)), b = to_doubles(y.slice(j, j + 1));
  double product = 0;
  for (size_t d = 0; d < a.size(); ++d) product += a[d] * b[d] / static_cast<double>(a.size());
  return std::pow(product + 1, 3);
}

double by_pairs(const Tensor& x, const Tensor& y) {
  double sum = 0;
  const int64_t m = x.size(0), n = y.size(0);
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < m; ++j)
      if (i != j) sum += kernel(x, i, x, j) / static_cast<double>(m * (m - 1));
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j)
      if (i != j) sum += kernel(y, i, y, j) / static_cast<double>(n * (n - 1));
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) sum -= 2 * kernel(x, i, y, j) / static_cast<double>(m * n);
  return sum;
}

TEST(KernelDistance, IsThatOfSumsOverPairs) {
  for (const DType dtype : {DType::f32, DType::f64})
    for (const auto& [m, n] : {std::pair<int64_t, int64_t>{7, 11}, {11, 7}, {2, 2}}) {
      const Tensor x = test::sample_tensor({m, 5}, dtype, kCpu, -1, 2, 1),
                   y = test::sample_tensor({n, 5}, dtype, kCpu, 0, 2, 2);
      EXPECT_NEAR(squared_discrepancy(x, y), by_pairs(x, y), 1e-12);
    }
}

TEST(KernelDistance, OfOneDistributionIsZeroOnAverage) {
  std::vector<double> same;
  for (uint64_t s = 0; s < 300; ++s)
    same.push_back(squared_discrepancy(test::sample_tensor({60, 6}, DType::f32, kCpu, -1, 1, 2 * s),
                                       test::sample_tensor({40, 6}, DType::f32, kCpu, -1, 1, 2 * s + 1)));
  EXPECT_LT(std::abs(mean_of(same).value), 3 * mean_of(same).error);
}

TEST(KernelDistance, OverSubsetsIsThatOfTheWholeSets) {
  const KernelDistanceSettings settings{.subsets = 40, .size = 100};
  const Tensor x = test::sample_tensor({400, 6}, DType::f32, kCpu, -1, 1, 0),
               y = test::sample_tensor({400, 6}, DType::f32, kCpu, -0.5, 1.5, 1);
  const KernelDistance apart = kernel_distance(x, y, settings);
  EXPECT_GT(apart.distance.low(), 0);
  EXPECT_NEAR(apart.distance.value, by_pairs(x, y), 3 * apart.distance.error);
  EXPECT_EQ(apart.subsets, 40);
  EXPECT_EQ(apart.size, 100);
}

TEST(KernelDistance, OfSmallSetsTakesHalfOfTheSmaller) {
  const Tensor x = test::sample_tensor({11, 3}, DType::f32), y = test::sample_tensor({30, 3}, DType::f32);
  EXPECT_EQ(kernel_distance(x, y, {}).size, 5);
  const Tensor two = x.slice(0, 2);
  const KernelDistance smallest = kernel_distance(two, y, {.subsets = 3});
  EXPECT_EQ(smallest.size, 2);
  EXPECT_FALSE(std::isfinite(smallest.distance.error));
}

TEST(KernelDistance, Refuses) {
  using test::expect_error;
  const Tensor x = test::sample_tensor({4, 3}, DType::f32);
  expect_error(ErrorKind::data, "two images or more, got 1", [&] { kernel_distance(x, x.slice(0, 1), {}); });
  expect_error(ErrorKind::data, "width 3 against those of width 2", [&] {
    kernel_distance(x, test::sample_tensor({4, 2}, DType::f32), {});
  });
  expect_error(ErrorKind::data, "not finite", [&] {
    squared_discrepancy(x, test::tensor_of({1, 2, 3, 4, NAN, 6}, {2, 3}, DType::f32));
  });
}

}  // namespace
}  // namespace vae::eval
