// Random tensors: four elements per Philox block, in batches that the compiler turns into vector code.
#include "kernels/kernels.h"
#include "kernels/lanes.h"
#include "kernels/simd.h"
#include "tensor/permutation.h"

namespace vae::kernels::cpu {
namespace {

constexpr int64_t kBatch = 64;  // Philox blocks at a time

struct Words {
  uint32_t v[4][kBatch];
};

VAE_CLONES void draw(RandomKey key, uint64_t step, int64_t first, Words& words) {
#pragma omp simd
  for (int64_t i = 0; i < kBatch; ++i) {
    const PhiloxBlock block = random_block(key, step, static_cast<uint64_t>(first + i));
    words.v[0][i] = block.v[0], words.v[1][i] = block.v[1], words.v[2][i] = block.v[2],
    words.v[3][i] = block.v[3];
  }
}

VAE_CLONES void to_normal(const Words& words, float out[4][kBatch]) {
  for (int pair = 0; pair < 4; pair += 2) {
#pragma omp simd
    for (int64_t i = 0; i < kBatch; ++i)
      normal_pair(words.v[pair][i], words.v[pair + 1][i], out[pair][i], out[pair + 1][i]);
  }
}

VAE_CLONES void to_uniform(const Words& words, float out[4][kBatch]) {
  for (int lane = 0; lane < 4; ++lane)
#pragma omp simd
    for (int64_t i = 0; i < kBatch; ++i) out[lane][i] = uniform01(words.v[lane][i]);
}

template <class Transform>
void random(const char* kernel, Out y, RandomKey key, In step, const Transform& transform) {
  check_random(kernel, y, step);
  const int64_t count = y.numel(), batches = (count + 4 * kBatch - 1) / (4 * kBatch);
  const auto draw_number = static_cast<uint64_t>(step.data<int64_t>()[0]);
  dispatch_floating(y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    parallel_for(batches, 16, [&](int64_t begin, int64_t end) {
      Words words;
      float values[4][kBatch], in_order[4 * kBatch];
      for (int64_t b = begin; b < end; ++b) {
        draw(key, draw_number, b * kBatch, words);
        transform(words, values);
        turn(values[0], kBatch, 4, kBatch, in_order, 4);
        const int64_t first = b * 4 * kBatch;
        std::copy_n(in_order, std::min(4 * kBatch, count - first), y.data<T>() + first);
      }
    });
  });
}

}  // namespace

void random_normal(Out y, RandomKey key, In step) { random("random_normal", y, key, step, to_normal); }

void random_uniform(Out y, RandomKey key, In step) { random("random_uniform", y, key, step, to_uniform); }

void random_integers(Out y, RandomKey key, In step, int64_t below) {
  check_random_integers(y, step, below);
  const auto number = static_cast<uint64_t>(step.data<int64_t>()[0]);
  for (int64_t i = 0; i < y.numel(); ++i)
    y.data<int64_t>()[i] =
        integer_below(random_block(key, number, static_cast<uint64_t>(i / 4)).v[i % 4], below);
}

void draw_items(In pool, Out y, RandomKey key, In step) {
  check_draw_items("draw_items", pool, y, step);
  if (y.numel() == 0) return;
  const IndexPermutation permutation(pool.numel());
  const auto number = static_cast<uint64_t>(step.data<int64_t>()[0]);
  for (int64_t i = 0; i < y.numel(); ++i)
    y.data<int64_t>()[i] = pool.data<int64_t>()[permutation(key, number, i)];
}

void epoch_items(In pool, Out y, RandomKey key, In step, bool reshuffle) {
  check_draw_items("epoch_items", pool, y, step);
  if (y.numel() == 0) return;
  const IndexPermutation permutation(pool.numel());
  const EpochBatch batch = epoch_batch(step.data<int64_t>()[0], pool.numel(), y.numel(), reshuffle);
  for (int64_t i = 0; i < y.numel(); ++i)
    y.data<int64_t>()[i] = pool.data<int64_t>()[permutation(key, batch.permutation, batch.begin + i)];
}

}  // namespace vae::kernels::cpu
