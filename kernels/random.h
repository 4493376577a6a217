#pragma once
// Random numbers: what is shared by all backends. `step` is the i64 scalar that numbers the draw. Element i
// of a draw comes from word i % 4 of Philox block i / 4; words (0, 1) and (2, 3) of a block make a pair of
// normals.
#include <cmath>

#include "kernels/kernel.h"
#include "tensor/philox.h"

namespace vae::kernels {

/// Which rows of a draw y [rows, columns] holds. With per_block 0 they are numbered as they stand. Else y is
/// a share of blocks of `stride` rows, `per_block` rows of each, the first being row `offset` of the block:
/// row b * per_block + i is row b * stride + offset + i of the whole draw.
struct Rows {
  int64_t per_block = 0, stride = 0, offset = 0;
};

/// A draw as runs of elements that follow one another: element i of run r of y is element first + r * stride
/// + i of the whole draw.
struct Runs {
  int64_t count, length, stride, first;
  /// Groups of `each` elements, a multiple of four, that hold a run, counted from the Philox block in which
  /// it begins.
  int64_t groups(int64_t each) const {
    const int64_t lead = first % 4 || stride % 4 ? 3 : 0;
    return (lead + length + each - 1) / each;
  }
};

/// Box and Muller: two normals from two random words. In float for every dtype, so that f64 runs see the
/// numbers of f32 runs.
VAE_HD void normal_pair(uint32_t word0, uint32_t word1, float& first, float& second) {
  const float radius = sqrtf(-2.0f * logf(uniform01(word0)));
  const float angle = 6.28318530718f * uniform01(word1);
  first = radius * cosf(angle);
  second = radius * cosf(angle - 1.57079632679f);  // the sine: beside a cosine, sinf would not vectorise
}

/// One of the numbers [0, below) from a random word; each has a share within below / 2^32 of the others'.
VAE_HD int64_t integer_below(uint32_t word, int64_t below) {
  return static_cast<int64_t>((static_cast<uint64_t>(word) * static_cast<uint64_t>(below)) >> 32);
}

/// A floating output, its draw number, and rows that are a share of whole blocks.
Runs check_random(const char* kernel, Out y, In step, Rows rows);
/// An i64 output, its draw number, 1 <= below <= 2^31, and rows as check_random() takes them.
Runs check_random_integers(Out y, In step, int64_t below, Rows rows);

/// How batches of items follow one another. Every `period` batches go on through one permutation of the pool,
/// from its start again at its end; then comes the next permutation, or (not `reshuffle`) the first again.
/// With `windows` a batch begins anywhere in the permutation, drawn anew for each, so that it ends before the
/// last item, and the batches before the first permutation is complete, period - 1 of them, take the pool as
/// it stands. Without `shuffle` all of them do.
struct Order {
  int64_t batch = 0;      ///< items of a whole batch; 0: as many as y, which then is all of it
  int64_t first = 0;      ///< position in the batch of the first item of y
  int64_t period = 1;     ///< batches of one permutation
  bool reshuffle = true;  ///< each period has a permutation of its own
  bool windows = false, shuffle = true;

  /// Where the items of y stand.
  struct Place {
    uint64_t permutation;
    int64_t
        begin;  ///< position of the first item of y; the others follow, from 0 again at the end of the pool
    bool shuffled;  ///< else the pool is taken as it stands
  };
  /// `batch` is not 0.
  VAE_HD Place place(RandomKey key, int64_t step, int64_t pool) const {
    if (!windows) {
      const uint64_t which = reshuffle ? static_cast<uint64_t>(step / period) : 0;
      return {which, (step % period * batch + first) % pool, shuffle};
    }
    const int64_t which = (step + 1) / period, starts = pool - batch;
    const RandomKey of_window{key.seed, ~key.stream};
    const uint32_t word = random_block(of_window, static_cast<uint64_t>(step), 0).v[0];
    return {static_cast<uint64_t>(reshuffle ? which : 0),
            first + (starts > 0 ? integer_below(word, starts) : 0), shuffle && which > 0};
  }
};

/// Items y of a pool, both i64 vectors, the batch no larger than the pool. The order, its batch filled in.
Order check_batch_items(In pool, Out y, In step, const Order& order);

}  // namespace vae::kernels
