#pragma once
// Cases of kernels that every backend must answer like the CPU. Each case builds its own operands from fixed
// random numbers, calls one kernel on assorted sizes, and returns what was written.
#include <functional>
#include <string>
#include <vector>

#include "kernels/kernels.h"

namespace vae::test {

/// Sizes around a warp, a vector and a block, and none at all.
inline constexpr int64_t kSizes[] = {0, 1, 31, 33, 257, 1000};

/// Largest distance() to the CPU, by dtype of the result.
struct Tolerance {
  double f32, f64;
};
/// Sums of up to a thousand terms in another order, functions that are off by a few units in the last place.
inline constexpr Tolerance kRounding{3e-5, 1e-12};
/// Results that f32 arithmetic precedes, whatever their own type.
inline constexpr Tolerance kFloatInside{3e-5, 3e-5};
inline constexpr Tolerance kExact{0, 0};

/// Operands on one device: the same numbers on every device, in the order asked for.
class Operands {
 public:
  Operands(Device device, DType dtype) : device_(device), dtype_(dtype) {}
  Tensor uniform(Shape shape, double low = -2, double high = 2);
  /// As uniform(), but one element off the alignment of an allocation.
  Tensor uniform_shifted(Shape shape, double low = -2, double high = 2);
  /// i64 in [0, below).
  Tensor integers(Shape shape, int64_t below);
  template <class T>
  Tensor scalar(T value) const {
    return Tensor::scalar(value, device_);
  }
  Tensor empty(Shape shape) const { return empty(shape, dtype_); }
  Tensor empty(Shape shape, DType dtype) const { return Tensor::zeros(shape, dtype, device_); }
  Device device() const { return device_; }
  DType dtype() const { return dtype_; }

 private:
  Device device_;
  DType dtype_;
  uint64_t draws_ = 0;
};

using Outputs = std::vector<Tensor>;

struct ParityCase {
  std::string kernel;  ///< its name in kernels/list.h
  std::string what;
  std::function<Outputs(Operands)> run;
  Tolerance tolerance = kRounding;
};

/// The cases of every kernel, or of those that VAE_TEST_KERNELS in the environment names ("adam sum").
std::vector<ParityCase> parity_cases();

void add_augment_cases(std::vector<ParityCase>& cases);
void add_elementwise_cases(std::vector<ParityCase>& cases);
void add_image_cases(std::vector<ParityCase>& cases);
void add_indexing_cases(std::vector<ParityCase>& cases);
void add_reduction_cases(std::vector<ParityCase>& cases);
void add_training_cases(std::vector<ParityCase>& cases);

}  // namespace vae::test
