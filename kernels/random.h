#pragma once
// Random numbers: what is shared by all backends. `step` is the i64 scalar that numbers the draw. Element i
// of a tensor comes from word i % 4 of Philox block i / 4; words (0, 1) and (2, 3) of a block make a pair of
// normals.
#include <cmath>

#include "kernels/kernel.h"
#include "tensor/philox.h"

namespace vae::kernels {

/// Box and Muller: two normals from two random words. In float for every dtype, so that f64 runs see the
/// numbers of f32 runs.
VAE_HD void normal_pair(uint32_t word0, uint32_t word1, float& first, float& second) {
  const float radius = sqrtf(-2.0f * logf(uniform01(word0)));
  const float angle = 6.28318530718f * uniform01(word1);
  first = radius * cosf(angle);
  second = radius * cosf(angle - 1.57079632679f);  // the sine: beside a cosine, sinf would not vectorise
}

/// A floating output and its draw number.
void check_random(const char* kernel, Out y, In step);
/// One of the numbers [0, below) from a random word; each has a share within below / 2^32 of the others'.
VAE_HD int64_t integer_below(uint32_t word, int64_t below) {
  return static_cast<int64_t>((static_cast<uint64_t>(word) * static_cast<uint64_t>(below)) >> 32);
}

/// An i64 output, its draw number, and 1 <= below <= 2^31.
void check_random_integers(Out y, In step, int64_t below);
/// Distinct items y of a pool, both i64 vectors.
void check_draw_items(const char* kernel, In pool, Out y, In step);

/// epoch_items goes through a shuffled pool in whole batches and leaves out the items beyond the last; each
/// pass has a permutation of its own (`reshuffle`), or all replay the first. This is where batch `step` begins
/// in which permutation.
struct EpochBatch {
  uint64_t permutation;
  int64_t begin;
};
VAE_HD EpochBatch epoch_batch(int64_t step, int64_t pool, int64_t batch, bool reshuffle) {
  const int64_t batches = pool / batch;
  return {reshuffle ? static_cast<uint64_t>(step / batches) : 0, step % batches * batch};
}

}  // namespace vae::kernels
