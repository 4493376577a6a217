#pragma once
// Which items make up a batch, as a pure function of (key, step): a resumed run continues the same sequence.
#include <cstdint>
#include <span>

#include "tensor/permutation.h"

namespace vae::data {

/// Batches of `batch` distinct indices of [0, n), uniform and independent from step to step.
class BatchSampler {
 public:
  /// Throws Error(usage) unless 0 <= batch <= n.
  BatchSampler(int64_t n, int64_t batch, RandomKey key);
  int64_t batch() const { return batch_; }
  /// Fills `out` (batch() places) with the indices of step `step`.
  void indices(uint64_t step, std::span<int64_t> out) const;

 private:
  IndexPermutation permutation_;
  int64_t batch_;
  RandomKey key_;
};

}  // namespace vae::data
