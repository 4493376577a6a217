// The f32 exponential of the CPU's loops, in vectors and alone, against that of f64 over the whole range of
// floats.
#include "kernels/elementwise/exp.h"

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

TEST(Exp, IsWithinTwoUnitsForEveryFloat) {
  const std::vector<float> x = floats();
  const Tensor in = Tensor::from(x, {static_cast<int64_t>(x.size())}), out = in.clone();
  map_fwd(Map::exp, {}, {&in, 1}, out);
  const std::vector<float> y = out.to_vector<float>();
  int64_t worst = 0;
  float where = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const auto exact = static_cast<float>(std::exp(static_cast<double>(x[i])));
    const int64_t steps = std::max(steps_between(y[i], exact), steps_between(detail::exp_f32(x[i]), exact));
    if (steps > worst) worst = steps, where = x[i];
  }
  EXPECT_LE(worst, 2) << "at " << where;
}

}  // namespace
}  // namespace vae::kernels
