#include "nn/schedule.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/expect_error.h"

namespace vae::nn {
namespace {

TEST(Schedule, Constant) {
  const Schedule schedule;
  EXPECT_TRUE(schedule.is_constant());
  EXPECT_EQ(schedule.factor(0), 1);
  EXPECT_EQ(schedule.factor(1'000'000), 1);
}

TEST(Schedule, WarmsUpToTheFullRate) {
  const Schedule schedule{.decay = Decay::constant, .total = 0, .warmup = 4};
  EXPECT_FALSE(schedule.is_constant());
  EXPECT_EQ(schedule.factor(0), 0.25);
  EXPECT_EQ(schedule.factor(3), 1);
  EXPECT_EQ(schedule.factor(4), 1);
}

TEST(Schedule, FallsToZeroAtTheEnd) {
  const Schedule linear{.decay = Decay::linear, .total = 110, .warmup = 10};
  EXPECT_EQ(linear.factor(10), 1);
  EXPECT_NEAR(linear.factor(60), 0.5, 1e-12);
  EXPECT_EQ(linear.factor(110), 0);
  EXPECT_EQ(linear.factor(500), 0);
  const Schedule cosine{.decay = Decay::cosine, .total = 100, .warmup = 0};
  EXPECT_EQ(cosine.factor(0), 1);
  EXPECT_NEAR(cosine.factor(50), 0.5, 1e-12);
  EXPECT_NEAR(cosine.factor(25), 0.5 * (1 + std::sqrt(0.5)), 1e-12);
  EXPECT_NEAR(cosine.factor(100), 0, 1e-12);
}

TEST(Schedule, ARunShorterThanItsWarmUp) {
  const Schedule schedule{.decay = Decay::cosine, .total = 5, .warmup = 10};
  EXPECT_EQ(schedule.factor(4), 0.5);
  EXPECT_EQ(schedule.factor(10), 1);
}

TEST(Schedule, Names) {
  EXPECT_EQ(parse_decay("cosine"), Decay::cosine);
  test::expect_error(ErrorKind::usage, "unknown schedule 'step'", [] { parse_decay("step"); });
}

}  // namespace
}  // namespace vae::nn
