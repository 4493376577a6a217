#pragma once
// Neighbouring elements that a thread moves at once.
#include "kernels/cuda/launch.h"

namespace vae::kernels::VAE_GPU {

/// `count` elements on a boundary of as many.
template <class T, int count>
struct alignas(count * sizeof(T)) Elements {
  static constexpr int size = count;
  T v[count];
};

/// 16 bytes.
template <class T>
using Pack = Elements<T, 16 / sizeof(T)>;

/// Whether addresses stand on 16-byte boundaries; null ones do.
template <class... Pointers>
bool packable(const Pointers*... pointers) {
  return ((reinterpret_cast<uintptr_t>(pointers) % 16 == 0) && ...);
}

template <int count, class T>
__device__ Elements<T, count> load(const T* from) {
  return *reinterpret_cast<const Elements<T, count>*>(from);
}

template <int count, class T>
__device__ void store(T* to, Elements<T, count> elements) {
  *reinterpret_cast<Elements<T, count>*>(to) = elements;
}

}  // namespace vae::kernels::VAE_GPU
