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
void random(const char* kernel, Out y, RandomKey key, In step, Rows rows, const Transform& transform) {
  const Runs runs = check_random(kernel, y, step, rows);
  constexpr int64_t elements = 4 * kBatch;
  const int64_t batches = runs.groups(elements);  // of a run
  const auto draw_number = static_cast<uint64_t>(step.data<int64_t>()[0]);
  dispatch_floating(y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    parallel_for(runs.count * batches, 16, [&](int64_t first, int64_t last) {
      Words words;
      float values[4][kBatch], in_order[elements];
      for (int64_t b = first; b < last; ++b) {
        const int64_t run = b / batches, batch = b % batches, at = runs.first + run * runs.stride;
        const int64_t from = batch * elements - at % 4;  // in the run, of the first element drawn
        const int64_t begin = std::max<int64_t>(from, 0), end = std::min(from + elements, runs.length);
        if (begin >= end) continue;
        draw(key, draw_number, at / 4 + batch * kBatch, words);
        transform(words, values);
        turn(values[0], kBatch, 4, kBatch, in_order, 4);
        std::copy(in_order + (begin - from), in_order + (end - from),
                  y.data<T>() + run * runs.length + begin);
      }
    });
  });
}

}  // namespace

void random_normal(Out y, RandomKey key, In step, Rows rows) {
  random("random_normal", y, key, step, rows, to_normal);
}

void random_uniform(Out y, RandomKey key, In step, Rows rows) {
  random("random_uniform", y, key, step, rows, to_uniform);
}

void random_integers(Out y, RandomKey key, In step, int64_t below, Rows rows) {
  const Runs runs = check_random_integers(y, step, below, rows);
  const auto number = static_cast<uint64_t>(step.data<int64_t>()[0]);
  auto* out = y.data<int64_t>();
  for (int64_t run = 0; run < runs.count; ++run)
    for (int64_t i = 0; i < runs.length; ++i) {
      const int64_t at = runs.first + run * runs.stride + i;
      *out++ = integer_below(random_block(key, number, static_cast<uint64_t>(at / 4)).v[at % 4], below);
    }
}

void batch_items(In pool, Out y, RandomKey key, In step, const Order& order) {
  const Order whole = check_batch_items(pool, y, step, order);
  const int64_t n = pool.numel(), number = step.data<int64_t>()[0];
  if (y.numel() == 0) return;
  const IndexPermutation permutation(n);
  const Order::Place place = whole.place(key, number, n);
  int64_t at = place.begin;
  for (int64_t i = 0; i < y.numel(); ++i) {
    const int64_t item = place.shuffled ? permutation(key, place.permutation, at) : at;
    y.data<int64_t>()[i] = pool.data<int64_t>()[item];
    if (++at == n) at = 0;
  }
}

}  // namespace vae::kernels::cpu
