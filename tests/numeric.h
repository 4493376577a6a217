#pragma once
// Numbers for tests: reproducible values, tensors of any dtype from doubles.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/kernels.h"
#include "tensor/compare.h"
#include "tensor/parallel.h"

namespace vae::test {

/// n values spread over [low, high], exact in f32; another `stream` gives others.
inline std::vector<double> sample(int64_t n, double low, double high, uint64_t stream = 0) {
  std::vector<double> values(static_cast<size_t>(n));
  for (size_t i = 0; i < values.size(); ++i) {
    const double u = uniform01(random_block({11, stream}, 0, i).v[0]);
    values[i] = static_cast<float>(low + u * (high - low));
  }
  return values;
}

/// A tensor of any dtype from doubles.
inline Tensor tensor_of(const std::vector<double>& values, Shape shape, DType dtype, Device device = kCpu) {
  return dispatch_any(dtype, [&](auto zero) {
    using T = decltype(zero);
    std::vector<T> typed(values.size());
    std::transform(values.begin(), values.end(), typed.begin(), [](double v) { return static_cast<T>(v); });
    return Tensor::from(typed, shape, device);
  });
}

inline Tensor sample_tensor(Shape shape, DType dtype, Device device = kCpu, double low = -2, double high = 2,
                            uint64_t stream = 0) {
  return tensor_of(sample(shape.numel(), low, high, stream), shape, dtype, device);
}

/// The CPU and a device `cuda`, or else the emulator `simt`, whose kernels are the same.
inline std::vector<Device> devices() {
  std::vector<Device> all = kernels::devices();
  if (device_count(DeviceType::cuda) > 0) std::erase(all, Device{DeviceType::simt, 0});
  return all;
}

using vae::distance;
using vae::same_bits;

/// Whether products of the CPU's libraries give a row the same bits wherever it lies and however many threads
/// there are: so they do with AVX-512, and not with AVX2.
inline bool products_keep_bits() {
#ifdef __x86_64__
  return __builtin_cpu_supports("avx512f");
#else
  return false;
#endif
}

}  // namespace vae::test
