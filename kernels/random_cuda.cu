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

/// `groups`: threads of a run.
template <class Transform, class T>
__global__ void random_kernel(T* y, Runs runs, int64_t groups, RandomKey key, const int64_t* step) {
  const auto number = static_cast<uint64_t>(*step);
  for (int64_t b = first_x(); b < runs.count * groups; b += step_x()) {
    const int64_t run = runs.count > 1 ? b / groups : 0, at = runs.first + run * runs.stride;
    const int64_t block = b - run * groups, from = block * 4 - at % 4;  // in the run, of the first number
    float values[4];
    Transform{}(random_block(key, number, static_cast<uint64_t>(at / 4 + block)), values);
    for (int i = 0; i < 4; ++i)
      if (from + i >= 0 && from + i < runs.length)
        y[run * runs.length + from + i] = static_cast<T>(values[i]);
  }
}

__global__ void random_integers_kernel(int64_t* y, Runs runs, RandomKey key, const int64_t* step,
                                       int64_t below) {
  const auto number = static_cast<uint64_t>(*step);
  for (int64_t i = first_x(); i < runs.count * runs.length; i += step_x()) {
    const int64_t run = runs.count > 1 ? i / runs.length : 0;
    const int64_t at = runs.first + run * (runs.stride - runs.length) + i;
    y[i] = integer_below(random_block(key, number, static_cast<uint64_t>(at / 4)).v[at % 4], below);
  }
}

__global__ void batch_items_kernel(const int64_t* pool, int64_t items, int64_t* y, int64_t n,
                                   IndexPermutation permutation, RandomKey key, const int64_t* step,
                                   Order order) {
  const Order::Place place = order.place(key, *step, items);
  for (int64_t i = first_x(); i < n; i += step_x()) {
    const int64_t behind = place.begin + i, at = behind < items ? behind : behind - items;
    y[i] = pool[place.shuffled ? permutation(key, place.permutation, at) : at];
  }
}

template <class Transform>
void random(const char* name, Out y, RandomKey key, In step, Rows rows) {
  const Runs runs = check_random(name, y, step, rows);
  const OnDevice gpu(y);
  const int64_t groups = runs.groups(4);
  dispatch_floating(y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    launch(name, random_kernel<Transform, T>, gpu.line(runs.count * groups), y.data<T>(), runs, groups, key,
           step.data<int64_t>());
  });
}

}  // namespace

void random_normal(Out y, RandomKey key, In step, Rows rows) {
  random<Normal>("random_normal", y, key, step, rows);
}

void random_uniform(Out y, RandomKey key, In step, Rows rows) {
  random<Uniform>("random_uniform", y, key, step, rows);
}

void random_integers(Out y, RandomKey key, In step, int64_t below, Rows rows) {
  const Runs runs = check_random_integers(y, step, below, rows);
  const OnDevice gpu(y);
  launch("random_integers", random_integers_kernel, gpu.line(y.numel()), y.data<int64_t>(), runs, key,
         step.data<int64_t>(), below);
}

void batch_items(In pool, Out y, RandomKey key, In step, const Order& order) {
  const Order whole = check_batch_items(pool, y, step, order);
  if (y.numel() == 0) return;
  const OnDevice gpu(y);
  launch("batch_items", batch_items_kernel, gpu.line(y.numel()), pool.data<int64_t>(), pool.numel(),
         y.data<int64_t>(), y.numel(), IndexPermutation(pool.numel()), key, step.data<int64_t>(), whole);
}

}  // namespace vae::kernels::VAE_GPU
