// Schedules on the host, and as the kernel computes them.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/expect_error.h"
#include "tests/numeric.h"

namespace vae::kernels {
namespace {

TEST(Schedule, Constant) {
  EXPECT_TRUE(Schedule().is_constant());
  EXPECT_EQ(Schedule().at(7), 1);
  for (const Schedule& schedule :
       {Schedule::constant(0.3), Schedule::rise(0.3, 0), Schedule::steps(0.3, 0.5, 0),
        Schedule::decay(0.3, Decay::constant, 100, 0)}) {
    EXPECT_TRUE(schedule.is_constant());
    EXPECT_EQ(schedule.at(0), 0.3);
    EXPECT_EQ(schedule.at(1'000'000), 0.3);
  }
}

TEST(Schedule, RisesCallByCall) {
  const Schedule schedule = Schedule::rise(0.8, 7);
  EXPECT_FALSE(schedule.is_constant());
  for (int64_t i = 0; i < 20; ++i) EXPECT_EQ(schedule.at(i), std::min(0.8, static_cast<double>(i + 1) / 7.0));
  const Schedule second = Schedule::rise(1, 10, 2, 2);  // the second of two calls an iteration
  for (int64_t i = 0; i < 20; ++i)
    EXPECT_EQ(second.at(i), std::min(1.0, static_cast<double>(2 * i + 2) / 10.0));
}

TEST(Schedule, StepsDownToItsFloor) {
  const Schedule schedule = Schedule::steps(3e-4, 0.75, 200, 1e-4);
  EXPECT_FALSE(schedule.is_constant());
  for (const int64_t i : {0, 1, 199, 200, 399, 400, 640, 799, 800, 5000}) {
    const double value = 3e-4 * std::pow(0.75, static_cast<double>(i / 200));
    EXPECT_EQ(schedule.at(i), std::max(1e-4, value)) << i;
  }
  EXPECT_EQ(Schedule::steps(0.5, 0.5, 1, 0.7).at(3), 0.5) << "a floor above the start";
}

TEST(Schedule, WarmsUpToTheFullRate) {
  const Schedule schedule = Schedule::decay(2, Decay::constant, 0, 4);
  EXPECT_FALSE(schedule.is_constant());
  EXPECT_EQ(schedule.at(0), 0.5);
  EXPECT_EQ(schedule.at(3), 2);
  EXPECT_EQ(schedule.at(4), 2);
}

TEST(Schedule, FallsToZeroAtTheEnd) {
  const Schedule linear = Schedule::decay(1, Decay::linear, 110, 10);
  EXPECT_EQ(linear.at(10), 1);
  EXPECT_NEAR(linear.at(60), 0.5, 1e-12);
  EXPECT_EQ(linear.at(110), 0);
  EXPECT_EQ(linear.at(500), 0);
  const Schedule cosine = Schedule::decay(1, Decay::cosine, 100, 0);
  EXPECT_EQ(cosine.at(0), 1);
  EXPECT_NEAR(cosine.at(50), 0.5, 1e-12);
  EXPECT_NEAR(cosine.at(25), 0.5 * (1 + std::sqrt(0.5)), 1e-12);
  EXPECT_NEAR(cosine.at(100), 0, 1e-12);
}

TEST(Schedule, ARunShorterThanItsWarmUp) {
  const Schedule schedule = Schedule::decay(1, Decay::cosine, 5, 10);
  EXPECT_EQ(schedule.at(4), 0.5);
  EXPECT_EQ(schedule.at(10), 1);
}

TEST(Schedule, RampsUpEpochByEpoch) {
  const Schedule schedule = Schedule::ramp(0.4, 10, 3);
  for (const int64_t i : {0, 2, 3, 14, 29, 30, 1000}) {
    const double missing = std::max(0.0, 1 - static_cast<double>(i / 3) / 10);
    EXPECT_DOUBLE_EQ(schedule.at(i), 0.4 * std::exp(-5 * missing * missing)) << i;
  }
  EXPECT_TRUE(Schedule::ramp(0.4, 0, 3).is_constant());
}

TEST(Schedule, PieceByPiece) {
  const Schedule schedule = Schedule::pieces({{0, 0.02}, {5, 0.1}, {5, 0.2}, {9, 0.01}});
  EXPECT_EQ(schedule.at(0), 0.02);
  EXPECT_EQ(schedule.at(4), 0.02);
  EXPECT_EQ(schedule.at(5), 0.2) << "the last of two that begin together";
  EXPECT_EQ(schedule.at(8), 0.2);
  EXPECT_EQ(schedule.at(1000), 0.01);
  for (const std::vector<Schedule::Piece>& wrong :
       {std::vector<Schedule::Piece>{}, {{1, 1}}, {{0, 1}, {4, 1}, {3, 1}}, std::vector<Schedule::Piece>(9)})
    test::expect_error(ErrorKind::usage, "a schedule of", [&] { Schedule::pieces(wrong); });
}

TEST(Schedule, Names) {
  EXPECT_EQ(parse_decay("cosine"), Decay::cosine);
  test::expect_error(ErrorKind::usage, "unknown schedule 'step'", [] { parse_decay("step"); });
}

/// The number of an iteration from the kernel.
double computed(const Schedule& schedule, int64_t iteration, DType dtype, Device device) {
  const Tensor y = Tensor::zeros({}, dtype, device);
  scheduled(Tensor::scalar(iteration, device), y, alone(schedule));
  return y.item();
}

TEST(Naive, scheduled) {
  const double pi = std::acos(-1.0), base = 0.3;
  for (const Device device : test::devices())
    for (const int64_t warmup : {0, 4})
      for (const int64_t i : {0, 2, 4, 30, 64, 104, 500}) {
        const double rise =
            std::min(1.0, (static_cast<double>(i) + 1) / static_cast<double>(std::max<int64_t>(1, warmup)));
        const double fallen = std::clamp(static_cast<double>(i - warmup) / 100.0, 0.0, 1.0);
        const auto rate = [&](Decay decay) {
          return computed(Schedule::decay(base, decay, 100 + warmup, warmup), i, DType::f64, device);
        };
        const bool rising = i < warmup;
        EXPECT_NEAR(rate(Decay::constant), base * rise, 1e-15);
        EXPECT_NEAR(rate(Decay::linear), base * (rising ? rise : 1 - fallen), 1e-15);
        EXPECT_NEAR(rate(Decay::cosine), base * (rising ? rise : 0.5 + 0.5 * std::cos(pi * fallen)), 1e-15);
        EXPECT_NEAR(computed(Schedule::rise(base, 90, 2), i, DType::f64, device),
                    std::min(base, static_cast<double>(2 * i + 1) / 90), 1e-15);
        EXPECT_NEAR(computed(Schedule::raised(base, 2, 90, 1.5), i, DType::f64, device),
                    std::min(1.5, base + (2 - base) * static_cast<double>(i + 1) / 90), 1e-15);
        EXPECT_NEAR(computed(Schedule::steps(base, 0.9, 7, 0.1), i, DType::f64, device),
                    std::max(0.1, base * std::pow(0.9, static_cast<double>(i / 7))), 1e-15);
        EXPECT_EQ(computed(Schedule::constant(base), i, DType::f32, device), static_cast<double>(0.3f));
      }
}

}  // namespace
}  // namespace vae::kernels
