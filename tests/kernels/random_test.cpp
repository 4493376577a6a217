// Random tensors: values against the formula, moments and distribution for a fixed seed, independence of
// length, dtype and split.
#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "tests/numeric.h"

namespace vae::kernels::random_test {

constexpr RandomKey kKey = RandomKey::named(5, "test");
using Draw = Kernel<Out, RandomKey, In, Rows>;

std::vector<double> draw(const Draw& kernel, int64_t n, DType dtype, Device device, RandomKey key = kKey,
                         int64_t step = 0) {
  const Tensor y = Tensor::empty({n}, dtype, device);
  kernel(y, key, Tensor::scalar(step, device), {});
  return to_doubles(y);
}

/// Element i of a draw: word i % 4 of block i / 4.
double naive_uniform(int64_t i, int64_t step) {
  return uniform01(random_block(kKey, static_cast<uint64_t>(step), static_cast<uint64_t>(i / 4)).v[i % 4]);
}

/// Box and Muller on words 0, 1 and 2, 3 of a block.
double naive_normal(int64_t i, int64_t step) {
  const double first = naive_uniform(i / 2 * 2, step), second = naive_uniform(i / 2 * 2 + 1, step);
  const double radius = std::sqrt(-2 * std::log(first)), angle = 2 * M_PI * second;
  return radius * (i % 2 ? std::sin(angle) : std::cos(angle));
}

void check_values(const Draw& kernel, double (*naive)(int64_t, int64_t), double tolerance) {
  for (const Device device : test::devices())
    for (const DType dtype : {DType::f32, DType::f64})
      for (const int64_t n : {0, 1, 31, 33, 257, 1000, 20000})
        for (const int64_t step : {0, 7}) {
          std::vector<double> expected;
          for (int64_t i = 0; i < n; ++i) expected.push_back(naive(i, step));
          EXPECT_LE(test::distance(draw(kernel, n, dtype, device, kKey, step), expected), tolerance)
              << kernel.name() << " " << n << " on " << device.str();
        }
}

TEST(Naive, random_uniform) { check_values(random_uniform, naive_uniform, 0); }
// Computed in float: radius below 6, angle below 6.3, each off by a few units of 6e-8.
TEST(Naive, random_normal) { check_values(random_normal, naive_normal, 2e-6); }

TEST(Naive, random_integers) {
  for (const Device device : test::devices())
    for (const int64_t n : {0, 1, 31, 33, 257, 1000})
      for (const int64_t below : {int64_t{1}, int64_t{2}, int64_t{9}, int64_t{1} << 31}) {
        const Tensor y = Tensor::empty({n}, DType::i64, device);
        random_integers(y, kKey, Tensor::scalar(int64_t{7}, device), below, {});
        std::vector<double> expected;
        for (int64_t i = 0; i < n; ++i) {
          const uint32_t word = random_block(kKey, 7, static_cast<uint64_t>(i / 4)).v[i % 4];
          expected.push_back(
              std::floor(std::ldexp(static_cast<double>(word) * static_cast<double>(below), -32)));
        }
        EXPECT_EQ(to_doubles(y), expected);
      }
}

TEST(Random, IntegersAreEvenlySpread) {
  const Tensor y = Tensor::empty({90000}, DType::i64);
  random_integers(y, kKey, Tensor::scalar(int64_t{0}), 9, {});
  std::vector<int> count(9);
  for (const int64_t value : y.to_vector<int64_t>()) ++count.at(static_cast<size_t>(value));
  for (const int c : count) EXPECT_NEAR(c, 10000, 5 * 95);  // five deviations of sqrt(90000 / 9 * 8 / 9)
}

TEST(Random, ElementsDependNeitherOnLengthNorOnDtype) {
  for (const Device device : test::devices())
    for (const Draw* kernel : {&random_uniform, &random_normal}) {
      const std::vector<double> all = draw(*kernel, 5000, DType::f32, device);
      for (const int64_t n : {1, 3, 255, 256, 257, 4999})
        for (const DType dtype : {DType::f32, DType::f64}) {
          const std::vector<double> some = draw(*kernel, n, dtype, device);
          EXPECT_TRUE(std::equal(some.begin(), some.end(), all.begin())) << kernel->name() << " " << n;
        }
    }
}

TEST(Random, SeedStreamAndStepEachChangeTheNumbers) {
  for (const Draw* kernel : {&random_uniform, &random_normal}) {
    std::set<std::vector<double>> draws;
    for (const RandomKey& key : {kKey, RandomKey::named(6, "test"), RandomKey::named(5, "tesu")})
      for (const int64_t step : {0, 1}) draws.insert(draw(*kernel, 8, DType::f32, kCpu, key, step));
    EXPECT_EQ(draws.size(), 6u);
  }
}

double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }
double uniform_cdf(double x) { return x; }

/// Kolmogorov-Smirnov: largest distance of the empirical distribution, times sqrt(n).
double ks_statistic(std::vector<double> x, double (*cdf)(double)) {
  std::sort(x.begin(), x.end());
  const auto n = static_cast<double>(x.size());
  double worst = 0;
  for (size_t i = 0; i < x.size(); ++i)
    worst = std::max({worst, std::abs(cdf(x[i]) - static_cast<double>(i) / n),
                      std::abs(cdf(x[i]) - static_cast<double>(i + 1) / n)});
  return worst * std::sqrt(n);
}

TEST(Random, DistributionsHaveTheirShape) {
  constexpr int64_t n = 200000;
  for (const Device device : test::devices())
    for (const bool normal : {false, true}) {
      const std::vector<double> x = draw(normal ? random_normal : random_uniform, n, DType::f32, device);
      double mean = 0, var = 0, lag = 0, fourth = 0;
      for (const double v : x) mean += v / n;
      for (size_t i = 0; i < x.size(); ++i) {
        const double d = x[i] - mean;
        var += d * d / n;
        fourth += d * d * d * d / n;
        if (i) lag += d * (x[i - 1] - mean) / n;
      }
      // Four standard errors of each, and the 1e-4 level of Kolmogorov's distribution.
      EXPECT_NEAR(mean, normal ? 0 : 0.5, 4 * std::sqrt(var / n));
      EXPECT_NEAR(var, normal ? 1 : 1. / 12, 4 * std::sqrt((fourth - var * var) / n));
      EXPECT_NEAR(fourth / (var * var), normal ? 3 : 1.8, 0.05);
      EXPECT_NEAR(lag / var, 0, 4 / std::sqrt(n));
      EXPECT_LT(ks_statistic(x, normal ? normal_cdf : uniform_cdf), 2.2);
      const auto [least, most] = std::minmax_element(x.begin(), x.end());
      EXPECT_TRUE(normal || (*least > 0 && *most < 1));
    }
}

/// The rows of a draw of `blocks` blocks of `stride` rows that a share holds, one after the other.
std::vector<double> share_of(const std::vector<double>& whole, int64_t blocks, int64_t columns, Rows rows) {
  std::vector<double> share;
  for (int64_t b = 0; b < blocks; ++b) {
    const auto begin = whole.begin() + (b * rows.stride + rows.offset) * columns;
    share.insert(share.end(), begin, begin + rows.per_block * columns);
  }
  return share;
}

/// Calls body(blocks, columns, rows) for every share of batches that are split over ranks, even or not.
template <class Body>
void for_shares(const Body& body) {
  for (const int64_t blocks : {1, 3, 10})
    for (const int64_t columns : {1, 3, 50, 131, 784})
      for (const std::vector<int64_t>& ranks :
           {std::vector<int64_t>{11}, {1, 2, 3, 5}, {64, 36}, {0, 1, 0}}) {
        const int64_t stride = std::accumulate(ranks.begin(), ranks.end(), int64_t{0});
        for (int64_t offset = 0; const int64_t own : ranks) {
          body(blocks, columns, Rows{own, stride, offset});
          offset += own;
        }
      }
}

TEST(Random, SharesOfABatchAreRowsOfTheWhole) {
  for (const Device device : test::devices())
    for (const Draw* kernel : {&random_uniform, &random_normal})
      for_shares([&](int64_t blocks, int64_t columns, Rows rows) {
        const std::vector<double> whole = draw(*kernel, blocks * rows.stride * columns, DType::f32, device);
        for (const DType dtype : {DType::f32, DType::f64}) {
          const Tensor y = Tensor::empty({blocks, rows.per_block, columns}, dtype, device);
          (*kernel)(y, kKey, Tensor::scalar(int64_t{0}, device), rows);
          EXPECT_EQ(to_doubles(y), share_of(whole, blocks, columns, rows))
              << kernel->name() << " " << y.str() << " from " << rows.offset;
        }
      });
}

TEST(Random, SharesOfIntegersAreRowsOfTheWhole) {
  for (const Device device : test::devices())
    for_shares([&](int64_t blocks, int64_t columns, Rows rows) {
      const auto numbers = [&](int64_t count, Rows which) {
        const Tensor y = Tensor::empty({count, columns}, DType::i64, device);
        random_integers(y, kKey, Tensor::scalar(int64_t{0}, device), 1000, which);
        return to_doubles(y);
      };
      const std::vector<double> whole = numbers(blocks * rows.stride, {});
      EXPECT_EQ(numbers(blocks * rows.per_block, rows), share_of(whole, blocks, columns, rows));
    });
}

}  // namespace vae::kernels::random_test
