// Standard errors against the spread of the same number over independent samples.
#include "nn/eval/bootstrap.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "nn/eval/frechet.h"
#include "nn/eval/kernel_distance.h"
#include "nn/eval/neighbours.h"
#include "tests/numeric.h"

namespace vae::eval {
namespace {

constexpr int64_t kImages = 300;

/// Normal features [kImages, 3] about a mean.
Tensor draw(double mean, uint64_t stream) {
  std::vector<double> values;
  for (const double u : test::sample(2 * 3 * kImages, 0, 1, stream)) values.push_back(u);
  for (int64_t i = 0; i < 3 * kImages; ++i)
    values[i] = mean + std::sqrt(-2 * std::log(values[i])) * std::cos(2 * M_PI * values[3 * kImages + i]);
  values.resize(3 * kImages);
  return test::tensor_of(values, {kImages, 3}, DType::f32);
}

/// The spread over samples of a number, and the mean of its standard errors.
template <class Body>
void expect_honest(const Body& estimate) {
  std::vector<double> values, errors;
  for (uint64_t sample = 0; sample < 60; ++sample) {
    const Estimate e = estimate(draw(0, 2 * sample), draw(1, 2 * sample + 1));
    values.push_back(e.value), errors.push_back(e.error);
  }
  const double ratio = mean_of(errors).value / spread(values);
  EXPECT_GT(ratio, 0.7);
  EXPECT_LT(ratio, 1.5);
}

TEST(Bootstrap, ErrorOfTheFrechetDistance) {
  expect_honest([](const Tensor& x, const Tensor& y) {
    return frechet_estimate({statistics(x), x}, {statistics(y), y}, 20, 1);
  });
}

TEST(Bootstrap, ErrorOfTheKernelDistance) {
  expect_honest([](const Tensor& x, const Tensor& y) {
    return kernel_distance(x, y, {.subsets = 30, .size = 50}).distance;
  });
}

TEST(Bootstrap, ErrorsOfNeighbours) {
  const NeighbourSettings settings{.resamples = 10};
  expect_honest([&](const Tensor& x, const Tensor& y) { return neighbours(x, y, settings).precision; });
  expect_honest([&](const Tensor& x, const Tensor& y) { return neighbours(x, y, settings).recall; });
  expect_honest([&](const Tensor& x, const Tensor& y) { return neighbours(x, y, settings).density; });
  expect_honest([&](const Tensor& x, const Tensor& y) { return neighbours(x, y, settings).coverage; });
}

TEST(Bootstrap, RepeatsAndFollowsTheSeed) {
  const Tensor x = draw(0, 0), y = draw(1, 1);
  const Sample a{statistics(x), x}, b{statistics(y), y};
  const Estimate one = frechet_estimate(a, b, 5, 1), again = frechet_estimate(a, b, 5, 1),
                 other = frechet_estimate(a, b, 5, 2);
  EXPECT_EQ(one.value, frechet_distance(a.statistics, b.statistics));
  EXPECT_EQ(one.error, again.error);
  EXPECT_EQ(one.value, other.value);
  EXPECT_NE(one.error, other.error);
  EXPECT_NEAR(one.high() - one.low(), 2 * 1.96 * one.error, 1e-12);
  EXPECT_LT(frechet_estimate(a, {b.statistics}, 50, 1).error, frechet_estimate(a, b, 50, 1).error);
  EXPECT_TRUE(std::isnan(frechet_estimate({a.statistics}, {b.statistics}, 5, 1).error));
  EXPECT_TRUE(std::isnan(frechet_estimate(a, b, 0, 1).error));
}

TEST(Bootstrap, HalvesHaveDistinctImagesAllAlike) {
  const RandomKey key = RandomKey::named(1, "test");
  std::vector<int> drawn(11, 0);
  for (uint64_t step = 0; step < 1000; ++step) {
    const std::vector<int64_t> items = half_sample(11, key, step);
    EXPECT_EQ(std::set<int64_t>(items.begin(), items.end()).size(), 5u);
    for (const int64_t item : items) ++drawn.at(item);
  }
  for (const int count : drawn) EXPECT_NEAR(count, 5000.0 / 11, 80);
}

// Of a mean the error is known: the spread over the root of the number.
TEST(Bootstrap, ErrorOfAMean) {
  const std::vector<double> values = test::sample(500, -1, 1);
  const auto mean = [&](std::span<const int64_t> items, std::span<const int64_t>) {
    double sum = 0;
    for (const int64_t i : items) sum += values[i] / static_cast<double>(items.size());
    return std::vector{sum, 2 * sum};
  };
  const std::vector<double> errors = half_sample_errors(500, 7, 400, 1, mean);
  EXPECT_NEAR(errors[0] / mean_of(values).error, 1, 0.15);
  EXPECT_NEAR(errors[1], 2 * errors[0], 1e-12);
}

TEST(Bootstrap, MeanAndSpread) {
  const Estimate e = mean_of({1, 2, 3, 6});
  EXPECT_EQ(e.value, 3);
  EXPECT_NEAR(e.error, std::sqrt(14.0 / 3) / 2, 1e-15);
  EXPECT_TRUE(std::isnan(spread({1})));
}

}  // namespace
}  // namespace vae::eval
