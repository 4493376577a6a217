#pragma once
// e^x in f32 as plain arithmetic, which a compiler inlines and vectorises for any instruction set; within 2
// units in the last place, infinities, NaN and denormal results included. The coefficients are minimax
// (Remez).
#include <bit>
#include <cstdint>

namespace vae::kernels::detail {

inline constexpr float kLog2High = 0.693145752f, kLog2Low = 1.42860677e-6f;  // n times the first is exact

/// 2^n for -126 <= n <= 127
[[gnu::always_inline]] inline float power_of_two(uint32_t n) { return std::bit_cast<float>((n + 127) << 23); }

/// e^x = 2^n e^r, |r| <= log(2) / 2. 2^n is multiplied in two halves, since neither it nor the result need be
/// normal.
[[gnu::always_inline]] inline float exp_f32(float x) {
  constexpr float magic = 0x1.8p23f;  // added to, its last bits are the whole part
  const float above = x < -104.f ? -104.f : x, t = above > 89.f ? 89.f : above;
  const float shifted = t * 1.44269504f + magic, n = shifted - magic;
  const float r = (t - n * kLog2High) - n * kLog2Low;
  float p = 0.00138143204f;
  p = p * r + 0.00836885106f;
  p = p * r + 0.0416684011f;
  p = p * r + 0.166665195f;
  p = p * r + 0.499999934f;
  p = p * r + 1.f;
  p = p * r + 1.f;
  const uint32_t whole = std::bit_cast<uint32_t>(shifted) - std::bit_cast<uint32_t>(magic);
  const auto half = static_cast<uint32_t>(static_cast<int32_t>(whole) >> 1);
  return p * power_of_two(half) * power_of_two(whole - half);
}

}  // namespace vae::kernels::detail
