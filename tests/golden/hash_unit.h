#pragma once
// Weights by formula, where a file is spared the true sizes.
#include <cstdint>

namespace vae::golden {

/// Value i of tensor k, spread over [-1, 1).
inline double hash_unit(uint64_t seed, uint64_t k, uint64_t i) {
  uint64_t t = ((k + 1000 * seed) << 32) + i + 1;
  t *= 0x9E3779B97F4A7C15;
  t ^= t >> 30;
  t *= 0xBF58476D1CE4E5B9;
  t ^= t >> 27;
  t *= 0x94D049BB133111EB;
  t ^= t >> 31;
  return static_cast<double>(t >> 40) * 0x1p-23 - 1;
}

}  // namespace vae::golden
