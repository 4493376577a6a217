// The f32 exponentials and logarithms of the CPU's loops, in vectors and alone, against those of f64 over the
// whole range of floats.
#include "kernels/elementwise/exp_log.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "tests/numeric.h"

namespace vae::kernels {
namespace {

/// Every 997th float of the 2^32, which meets all exponents, and those around the bounds of the results.
std::vector<float> floats() {
  std::vector<float> x{0.f,   -0.f,     1.f,      -1.f,      90.f,    -90.f,  1e4f,
                       -1e4f, 88.7228f, 88.7229f, -87.3366f, -103.9f, -104.1f};
  for (uint64_t bits = 0; bits < uint64_t{1} << 32; bits += 997)
    x.push_back(std::bit_cast<float>(static_cast<uint32_t>(bits)));
  for (const float special : {HUGE_VALF, -HUGE_VALF, NAN, 0x1p-149f, 0x1p-126f}) x.push_back(special);
  return x;
}

/// Floats between two; 0 for two NaN, the largest number where one is.
int64_t steps_between(float a, float b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b) ? 0 : INT64_MAX;
  const auto place = [](float v) {
    const auto bits = std::bit_cast<int32_t>(v);
    return bits < 0 ? static_cast<int64_t>(INT32_MIN) - bits : static_cast<int64_t>(bits);
  };
  return std::abs(place(a) - place(b));
}

/// The furthest that f, or its vector form beside it, is from the exact function, over all x for which `in`
/// holds.
template <class Exact, class In>
void expect_within_two_units(const std::vector<float>& x, const std::vector<float>& y, float (*f)(float),
                             Exact exact, In in) {
  int64_t worst = 0;
  float where = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    if (!in(x[i])) continue;
    const auto wanted = static_cast<float>(exact(static_cast<double>(x[i])));
    const int64_t steps = std::max(steps_between(y[i], wanted), steps_between(f(x[i]), wanted));
    if (steps > worst) worst = steps, where = x[i];
  }
  EXPECT_LE(worst, 2) << "at " << where;
}

std::vector<float> mapped(Map op, const std::vector<float>& x) {
  const Tensor in = Tensor::from(x, {static_cast<int64_t>(x.size())}), out = in.clone();
  map_fwd(op, {}, {&in, 1}, out);
  return out.to_vector<float>();
}

bool any(float) { return true; }

TEST(ExpLog, ExpIsWithinTwoUnitsForEveryFloat) {
  const std::vector<float> x = floats();
  expect_within_two_units(
      x, mapped(Map::exp, x), [](float v) { return detail::exp_f32(v); },
      [](double v) { return std::exp(v); }, any);
}

TEST(ExpLog, LogIsWithinTwoUnitsForEveryFloat) {
  const std::vector<float> x = floats();
  expect_within_two_units(
      x, mapped(Map::log, x), [](float v) { return detail::log_f32(v); },
      [](double v) { return std::log(v); }, any);
}

TEST(ExpLog, FlushedExpIsThatOfNormalResultsAndZeroOrInfiniteBeyond) {
  const std::vector<float> x = floats();
  std::vector<float> y(x.size());
#pragma omp simd
  for (size_t i = 0; i < x.size(); ++i) y[i] = detail::exp_flushed_f32(x[i]);
  expect_within_two_units(
      x, y, [](float v) { return detail::exp_flushed_f32(v); }, [](double v) { return std::exp(v); },
      [](float v) { return !(v < -87.3f || v > 88.3f); });
  for (const float below : {-88.f, -104.f, -1e4f, -HUGE_VALF}) EXPECT_EQ(detail::exp_flushed_f32(below), 0.f);
  for (const float above : {88.5f, 90.f, 1e4f, HUGE_VALF})
    EXPECT_EQ(detail::exp_flushed_f32(above), HUGE_VALF);
}

TEST(ExpLog, Log1pIsWithinTwoUnitsOnTheUnitInterval) {
  const std::vector<float> x = floats();
  std::vector<float> y(x.size());
  for (size_t i = 0; i < x.size(); ++i) y[i] = detail::log1p_unit_f32(x[i]);
  expect_within_two_units(
      x, y, [](float v) { return detail::log1p_unit_f32(v); }, [](double v) { return std::log1p(v); },
      [](float v) { return v >= 0 && v <= 1; });
}

}  // namespace
}  // namespace vae::kernels
