#pragma once
// Reductions inside a block, in an order fixed by the shape of the block: the same bits in every run. All
// threads of the block must call them.
#include "kernels/cuda/launch.h"

namespace vae::kernels::VAE_GPU {

struct Plus {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a + b;
  }
};

struct Larger {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a < b ? b : a;
  }
};

template <class T>
__device__ T shuffle_xor(T value, int mask) {
  return __shfl_xor_sync(0xffffffffu, value, mask);
}

/// Combines the values of a row of threads (threadIdx.x); all of them get the result. Blocks as made by
/// OnDevice::rows(): rows of one warp, or one row of several.
template <class T, class Combine>
__device__ T row_reduce(T value, Combine combine) {
  for (int mask = kWarp / 2; mask > 0; mask /= 2) value = combine(value, shuffle_xor(value, mask));
  if (blockDim.x == kWarp) return value;
  VAE_SHARED(T, warps, kRowThreads);
  if (threadIdx.x % kWarp == 0) warps[threadIdx.x / kWarp] = value;
  __syncthreads();
  value = warps[0];
  for (int w = 1; w < static_cast<int>(blockDim.x) / kWarp; ++w) {
    const T other = warps[w];
    value = combine(value, other);
  }
  __syncthreads();  // before the next call writes
  return value;
}

/// Combines the values of a column of a tile (threadIdx.y); all its threads get the result. Blocks as made by
/// OnDevice::tiles(). T is a number.
template <class T, class Combine>
__device__ T tile_reduce(T value, Combine combine) {
  VAE_SHARED(T, values, kRowThreads * kTileColumns);
  for (int mask = kTileColumns; mask < kWarp; mask *= 2) value = combine(value, shuffle_xor(value, mask));
  const int thread = static_cast<int>(threadIdx.y * kTileColumns + threadIdx.x);
  if (thread % kWarp < kTileColumns) values[thread / kWarp * kTileColumns + threadIdx.x] = value;
  __syncthreads();
  value = values[threadIdx.x];
  for (int w = 1; w < kRowThreads; ++w) {
    const T other = values[w * kTileColumns + threadIdx.x];
    value = combine(value, other);
  }
  __syncthreads();  // before the next call writes
  return value;
}

}  // namespace vae::kernels::VAE_GPU
