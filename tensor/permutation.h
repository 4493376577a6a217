#pragma once
// A keyed permutation of [0, n), evaluated at any position without state or memory: a batch of distinct
// indices is a pure function of (key, step) on every backend, and a resumed run continues the same sequence.
#include <cmath>
#include <cstdint>

#include "tensor/error.h"
#include "tensor/philox.h"

namespace vae {

/// A pseudo-random permutation of [0, n), one for each (key, step), as a Feistel network on a grid of rows x
/// columns cells that just covers [0, n); cells outside are walked through (Black and Rogaway, "Ciphers with
/// arbitrary finite domains", CT-RSA 2002).
class IndexPermutation {
 public:
  /// 1 <= n <= 2^62.
  explicit IndexPermutation(int64_t n) : n_(static_cast<uint64_t>(n)) {
    VAE_CHECK(n >= 1 && n <= int64_t{1} << 62, "a permutation of {} items", n);
    rows_ = static_cast<uint64_t>(std::sqrt(static_cast<double>(n)));
    while (rows_ * rows_ < n_) ++rows_;
    columns_ = (n_ + rows_ - 1) / rows_;
  }

  /// The item at `position` (both in [0, n)) of permutation number `step`.
  VAE_HD int64_t operator()(RandomKey key, uint64_t step, int64_t position) const {
    const PhiloxBlock words = random_block(key, step, 0);
    const uint64_t step_key = uint64_t{words.v[0]} << 32 | words.v[1];
    uint64_t cell = static_cast<uint64_t>(position);
    do cell = encipher(step_key, cell);
    while (cell >= n_);
    return static_cast<int64_t>(cell);
  }

 private:
  static constexpr uint64_t kRounds = 24;  // so many that even all orders of six items are equally likely

  VAE_HD uint64_t encipher(uint64_t key, uint64_t cell) const {
    uint64_t row = cell / columns_, column = cell % columns_;
    for (uint64_t round = 0; round < kRounds; round += 2) {
      row = add_below(row, hash(key, round, column), rows_);
      column = add_below(column, hash(key, round + 1, row), columns_);
    }
    return row * columns_ + column;
  }
  /// A keyed hash of a round and a coordinate (below 2^32).
  VAE_HD static uint32_t hash(uint64_t key, uint64_t round, uint64_t coordinate) {
    uint64_t x = key + (round << 32 | coordinate) * 0x9E3779B97F4A7C15u;
    x = (x ^ x >> 32) * 0xD6E8FEB86659FD93u;
    x = (x ^ x >> 32) * 0xD6E8FEB86659FD93u;
    return static_cast<uint32_t>(x >> 32);
  }
  /// (value + offset) mod extent, with a 32-bit hash mapped onto [0, extent).
  VAE_HD static uint64_t add_below(uint64_t value, uint32_t hash, uint64_t extent) {
    const uint64_t sum = value + (hash * extent >> 32);
    return sum < extent ? sum : sum - extent;
  }

  uint64_t n_, rows_, columns_;
};

}  // namespace vae
