#pragma once
// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011), one header for every
// backend. A number is a pure function of (seed, stream, step, index): nothing is drawn "next", so any
// backend, any number of threads or ranks and a resumed run see the same values.
#include <cstdint>
#include <string_view>

#include "tensor/host_device.h"

namespace vae {

struct PhiloxBlock {
  uint32_t v[4];
};

/// By recursion: a loop inside a vector loop would not vectorise.
template <int rounds = 10>
VAE_HD PhiloxBlock philox4x32_10(PhiloxBlock counter, uint32_t key0, uint32_t key1) {
  const uint64_t product0 = uint64_t{0xD2511F53u} * counter.v[0];
  const uint64_t product1 = uint64_t{0xCD9E8D57u} * counter.v[2];
  const PhiloxBlock next{
      {static_cast<uint32_t>(product1 >> 32) ^ counter.v[1] ^ key0, static_cast<uint32_t>(product1),
       static_cast<uint32_t>(product0 >> 32) ^ counter.v[3] ^ key1, static_cast<uint32_t>(product0)}};
  if constexpr (rounds == 1)
    return next;
  else
    return philox4x32_10<rounds - 1>(next, key0 + 0x9E3779B9u, key1 + 0xBB67AE85u);
}

/// Which random numbers: the run's seed and a named stream ("noise/eps_u", "batch/labeled", "init/encoder").
struct RandomKey {
  uint64_t seed = 0;
  uint64_t stream = 0;

  static constexpr RandomKey named(uint64_t seed, std::string_view name) {
    uint64_t hash = 0xCBF29CE484222325u;  // FNV-1a
    for (const char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001B3u;
    return {seed, hash};
  }
};

/// Four random words: block `block` of draw `step`.
VAE_HD PhiloxBlock random_block(RandomKey key, uint64_t step, uint64_t block) {
  const PhiloxBlock counter{{static_cast<uint32_t>(block), static_cast<uint32_t>(step),
                             static_cast<uint32_t>(key.stream), static_cast<uint32_t>(key.stream >> 32)}};
  return philox4x32_10(counter, static_cast<uint32_t>(key.seed), static_cast<uint32_t>(key.seed >> 32));
}

/// Uniform in the open interval (0, 1): 23 bits and a half, so that float holds it exactly.
VAE_HD float uniform01(uint32_t word) { return (static_cast<float>(word >> 9) + 0.5f) * 0x1p-23f; }

}  // namespace vae
