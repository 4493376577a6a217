// Random tensors on CUDA devices: a thread per Philox block of four elements.
#include "kernels/cuda/launch.h"
#include "kernels/kernels.h"
#include "tensor/permutation.h"

namespace vae::kernels::VAE_GPU {
namespace {

struct Normal {
  __device__ void operator()(const PhiloxBlock& words, float out[4]) const {
    normal_pair(words.v[0], words.v[1], out[0], out[1]);
    normal_pair(words.v[2], words.v[3], out[2], out[3]);
  }
};

struct Uniform {
  __device__ void operator()(const PhiloxBlock& words, float out[4]) const {
    for (int i = 0; i < 4; ++i) out[i] = uniform01(words.v[i]);
  }
};

template <class Transform, class T>
__global__ void random_kernel(T* y, int64_t n, RandomKey key, const int64_t* step) {
  const auto number = static_cast<uint64_t>(*step);
  for (int64_t b = first_x(); b < (n + 3) / 4; b += step_x()) {
    float values[4];
    Transform{}(random_block(key, number, static_cast<uint64_t>(b)), values);
    for (int i = 0; i < 4; ++i)
      if (b * 4 + i < n) y[b * 4 + i] = static_cast<T>(values[i]);
  }
}

__global__ void random_integers_kernel(int64_t* y, int64_t n, RandomKey key, const int64_t* step,
                                       int64_t below) {
  const auto number = static_cast<uint64_t>(*step);
  for (int64_t i = first_x(); i < n; i += step_x())
    y[i] = integer_below(random_block(key, number, static_cast<uint64_t>(i / 4)).v[i % 4], below);
}

__global__ void draw_items_kernel(const int64_t* pool, int64_t* y, int64_t n, IndexPermutation permutation,
                                  RandomKey key, const int64_t* step) {
  const auto number = static_cast<uint64_t>(*step);
  for (int64_t i = first_x(); i < n; i += step_x()) y[i] = pool[permutation(key, number, i)];
}

__global__ void epoch_items_kernel(const int64_t* pool, int64_t items, int64_t* y, int64_t n,
                                   IndexPermutation permutation, RandomKey key, const int64_t* step,
                                   bool reshuffle) {
  const EpochBatch batch = epoch_batch(*step, items, n, reshuffle);
  for (int64_t i = first_x(); i < n; i += step_x())
    y[i] = pool[permutation(key, batch.permutation, batch.begin + i)];
}

template <class Transform>
void random(const char* name, Out y, RandomKey key, In step) {
  check_random(name, y, step);
  const OnDevice gpu(y);
  const LaunchConfig blocks = gpu.line((y.numel() + 3) / 4);
  dispatch_floating(y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    launch(name, random_kernel<Transform, T>, blocks, y.data<T>(), y.numel(), key, step.data<int64_t>());
  });
}

}  // namespace

void random_normal(Out y, RandomKey key, In step) { random<Normal>("random_normal", y, key, step); }

void random_uniform(Out y, RandomKey key, In step) { random<Uniform>("random_uniform", y, key, step); }

void random_integers(Out y, RandomKey key, In step, int64_t below) {
  check_random_integers(y, step, below);
  const OnDevice gpu(y);
  launch("random_integers", random_integers_kernel, gpu.line(y.numel()), y.data<int64_t>(), y.numel(), key,
         step.data<int64_t>(), below);
}

void draw_items(In pool, Out y, RandomKey key, In step) {
  check_draw_items("draw_items", pool, y, step);
  if (y.numel() == 0) return;
  const OnDevice gpu(y);
  launch("draw_items", draw_items_kernel, gpu.line(y.numel()), pool.data<int64_t>(), y.data<int64_t>(),
         y.numel(), IndexPermutation(pool.numel()), key, step.data<int64_t>());
}

void epoch_items(In pool, Out y, RandomKey key, In step, bool reshuffle) {
  check_draw_items("epoch_items", pool, y, step);
  if (y.numel() == 0) return;
  const OnDevice gpu(y);
  launch("epoch_items", epoch_items_kernel, gpu.line(y.numel()), pool.data<int64_t>(), pool.numel(),
         y.data<int64_t>(), y.numel(), IndexPermutation(pool.numel()), key, step.data<int64_t>(), reshuffle);
}

}  // namespace vae::kernels::VAE_GPU
