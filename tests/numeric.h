#pragma once
// Numbers for tests: reproducible values, tensors of any dtype from doubles and back, distances.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/kernels.h"
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

/// The elements of a tensor of any dtype.
inline std::vector<double> doubles(const Tensor& tensor) {
  return dispatch_any(tensor.dtype(), [&](auto zero) {
    const auto typed = tensor.to_vector<decltype(zero)>();
    return std::vector<double>(typed.begin(), typed.end());
  });
}

/// Largest difference over max(1, largest expected magnitude); infinite for different lengths, NaN or an
/// infinity in one of them alone.
inline double distance(const std::vector<double>& actual, const std::vector<double>& expected) {
  if (actual.size() != expected.size()) return HUGE_VAL;
  double scale = 1, worst = 0;
  for (const double e : expected)
    if (std::isfinite(e)) scale = std::max(scale, std::abs(e));
  for (size_t i = 0; i < actual.size(); ++i) {
    const double error = actual[i] == expected[i] ? 0 : std::abs(actual[i] - expected[i]);
    if (!(error <= worst)) worst = std::isnan(error) ? HUGE_VAL : error;
  }
  return worst / scale;
}

inline bool same_bits(const Tensor& a, const Tensor& b) {
  const Tensor x = a.to(kCpu), y = b.to(kCpu);
  return x.shape() == y.shape() && x.dtype() == y.dtype() &&
         (x.bytes() == 0 || std::memcmp(x.raw(), y.raw(), x.bytes()) == 0);
}

using kernels::devices;

/// Runs with a number of threads, then restores the default.
class Threads {
 public:
  explicit Threads(int threads) { set_num_threads(threads); }
  ~Threads() { set_num_threads(0); }
};

}  // namespace vae::test
