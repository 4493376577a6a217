#pragma once
// The words of CUDA that the .cu files use, for g++: the emulator in place of nvcc and a device. Threads run
// by machine.h, shared memory is that of shared.h.
#include <math.h>

#include <cstring>

#include "kernels/simt/machine.h"
#include "kernels/simt/shared.h"

#ifndef __global__  // else they are those of CUDA's headers, which mean as little to g++
#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#endif

#define VAE_SHARED(type, name, count) static ::vae::simt::SharedArray<type, (count)> name(#name)

namespace vae::simt {

inline void __syncthreads(Site site = Site::current()) { block_barrier("__syncthreads", site); }

inline void __syncwarp(uint32_t mask = 0xffffffffu, Site site = Site::current()) {
  warp_operation({WarpCall::Kind::sync, "__syncwarp", mask, 0, 0}, site);
}

inline uint32_t __ballot_sync(uint32_t mask, int predicate, Site site = Site::current()) {
  const uint64_t bit = predicate != 0;
  return static_cast<uint32_t>(warp_operation({WarpCall::Kind::ballot, "__ballot_sync", mask, bit, 0}, site));
}

template <class T>
T shuffle(const char* function, uint32_t mask, T value, int source, Site site) {
  static_assert(std::is_arithmetic_v<T> && sizeof(T) <= sizeof(uint64_t));
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  bits = warp_operation({WarpCall::Kind::shuffle, function, mask, bits, source}, site);
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

template <class T>
T __shfl_sync(uint32_t mask, T value, int source, Site site = Site::current()) {
  return shuffle("__shfl_sync", mask, value, source & 31, site);
}

template <class T>
T __shfl_xor_sync(uint32_t mask, T value, int lanes, Site site = Site::current()) {
  return shuffle("__shfl_xor_sync", mask, value, lane() ^ lanes, site);
}

/// The last lanes keep their own value.
template <class T>
T __shfl_down_sync(uint32_t mask, T value, unsigned lanes, Site site = Site::current()) {
  const int source = lane() + static_cast<int>(lanes);
  return shuffle("__shfl_down_sync", mask, value, source < 32 ? source : lane(), site);
}

/// Atomic because one thread runs at a time.
template <class T>
T atomicAdd(T* address, T value) {
  const T old = *address;
  *address = old + value;
  return old;
}

}  // namespace vae::simt
