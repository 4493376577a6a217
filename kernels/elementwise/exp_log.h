#pragma once
// e^x and log x in f32 as plain arithmetic, which a compiler inlines and vectorises for any instruction set.
// Every result is within 2 units in the last place. The coefficients are minimax (Remez, Lawson).
#include <bit>
#include <cstdint>
#include <limits>

#include "tensor/host_device.h"

namespace vae::kernels::detail {

inline constexpr float kLog2High = 0.693145752f, kLog2Low = 1.42860677e-6f;  // n times the first is exact

/// 2^n for -126 <= n <= 127, zero for -127, infinity for 128
[[gnu::always_inline]] inline float power_of_two(uint32_t n) { return std::bit_cast<float>((n + 127) << 23); }

/// x = n log 2 + r, |r| <= log(2) / 2: e^r, and the whole number n.
[[gnu::always_inline]] inline float exp_reduced(float x, uint32_t& n) {
  constexpr float magic = 0x1.8p23f;  // added to, its last bits are the whole part
  const float shifted = x * 1.44269504f + magic, whole = shifted - magic;
  n = std::bit_cast<uint32_t>(shifted) - std::bit_cast<uint32_t>(magic);
  const float r = (x - whole * kLog2High) - whole * kLog2Low;
  float p = 0.00138143204f;
  p = p * r + 0.00836885106f;
  p = p * r + 0.0416684011f;
  p = p * r + 0.166665195f;
  p = p * r + 0.499999934f;
  p = p * r + 1.f;
  return p * r + 1.f;
}

/// x limited to [low, high]; NaN stays.
[[gnu::always_inline]] inline float limited(float x, float low, float high) {
  const float above = x < low ? low : x;
  return above > high ? high : above;
}

/// e^x. 2^n is multiplied in two halves, since neither it nor the result need be normal.
[[gnu::always_inline]] inline float exp_f32(float x) {
  uint32_t n;
  const float e = exp_reduced(limited(x, -104.f, 89.f), n);
  const auto half = static_cast<uint32_t>(static_cast<int32_t>(n) >> 1);
  return e * power_of_two(half) * power_of_two(n - half);
}

/// e^x, zero below 2^-126.5 and infinite above 2^127.5: a third faster, where that is as good.
[[gnu::always_inline]] inline float exp_flushed_f32(float x) {
  uint32_t n;
  const float e = exp_reduced(limited(x, -88.f, 89.f), n);
  return e * power_of_two(n);
}

/// log x = n log 2 + log(1 + f), sqrt(1/2) <= 1 + f < sqrt(2); denormal x included.
[[gnu::always_inline]] inline float log_f32(float x) {
  constexpr uint32_t root = 0x3f3504f3u;  // sqrt(1/2)
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const bool denormal = x < 0x1p-126f;
  const uint32_t above = std::bit_cast<uint32_t>(denormal ? x * 0x1p25f : x) - root;
  const float whole = static_cast<float>(static_cast<int32_t>(above) >> 23),
              n = denormal ? whole - 25.f : whole;
  const float f = std::bit_cast<float>((above & 0x007fffffu) + root) - 1.f;
  float p = 0.0870043859f;
  p = p * f - 0.142674923f;
  p = p * f + 0.149147689f;
  p = p * f - 0.165775836f;
  p = p * f + 0.199630633f;
  p = p * f - 0.250013381f;
  p = p * f + 0.333339095f;
  p = p * f - 0.5f;
  const float y = n * 0.693147182f + (f * f * p + f);
  const float positive = x < infinity ? y : x;
  const float otherwise = x < 0.f ? std::numeric_limits<float>::quiet_NaN() : -infinity;
  return x <= 0.f ? otherwise : positive;
}

/// log(1 + x) for 0 <= x <= 1.
VAE_HD float log1p_unit_f32(float x) {
  float p = -0.00331846997f;
  p = p * x + 0.0202045739f;
  p = p * x - 0.0576644279f;
  p = p * x + 0.106805541f;
  p = p * x - 0.153553948f;
  p = p * x + 0.196953997f;
  p = p * x - 0.249585868f;
  p = p * x + 0.33330512f;
  p = p * x - 0.499999315f;
  return x * x * p + x;
}

}  // namespace vae::kernels::detail
