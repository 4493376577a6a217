#include "data/sampler.h"

#include <algorithm>

namespace vae::data {

BatchSampler::BatchSampler(int64_t n, int64_t batch, RandomKey key)
    : permutation_(std::max<int64_t>(n, 1)), batch_(batch), key_(key) {
  if (batch < 0 || batch > n) fail(ErrorKind::usage, "batch size {} with a set of {} items", batch, n);
}

void BatchSampler::indices(uint64_t step, std::span<int64_t> out) const {
  VAE_CHECK(static_cast<int64_t>(out.size()) == batch_, "{} places for a batch of {}", out.size(), batch_);
  for (int64_t i = 0; i < batch_; ++i) out[i] = permutation_(key_, step, i);
}

}  // namespace vae::data
