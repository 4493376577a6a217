#pragma once
// What bench_kernels times: kernels on the shapes of the models.
#include <functional>
#include <string>
#include <vector>

#include "kernels/kernels.h"
#include "tensor/runtime.h"

namespace vae::bench {

/// Operands of a case on one device in one dtype; asked for in the same order, they hold the same numbers.
class Operands {
 public:
  Operands(Device device, DType dtype) : device_(device), dtype_(dtype) {}
  /// Uniform in [low, high).
  Tensor uniform(Shape shape, double low = -1, double high = 1);
  /// Zeros: for outputs.
  Tensor zeros(Shape shape) const { return Tensor::zeros(shape, dtype_, device_); }
  Tensor zeros(Shape shape, DType dtype) const { return Tensor::zeros(shape, dtype, device_); }
  /// u8, of all values.
  Tensor bytes(Shape shape);
  /// i64, every number in [0, below) about as often.
  Tensor integers(int64_t count, int64_t below) const;
  template <class T>
  Tensor scalar(T value) const {
    return Tensor::scalar(value, device_);
  }

 private:
  Device device_;
  DType dtype_;
  uint64_t draws_ = 0;
};

/// A call ready to be timed, and a tensor that it writes.
struct Call {
  std::function<void()> run;
  Tensor result;
};

struct Case {
  std::string kernel;  ///< its name in kernels/list.h
  std::string shape;
  double bytes;      ///< of operands, each read once, and results, each written once (f32)
  double flops = 0;  ///< 0: the memory is what limits it
  std::function<Call(Operands)> make;
  double tolerance =
      1e-3;  ///< f32 against f64, of the norms: sums of 1e7 terms, and a threshold crossed here and there
};

/// All cases, in the order of the table.
std::vector<Case> all_cases();

void add_elementwise(std::vector<Case>& cases);
void add_rows(std::vector<Case>& cases);
void add_gemm(std::vector<Case>& cases);
void add_conv(std::vector<Case>& cases);
void add_batches(std::vector<Case>& cases);
void add_training(std::vector<Case>& cases);

/// Elements beyond every cache: 64 MiB of f32.
inline constexpr int64_t kLarge = int64_t{1} << 24;

}  // namespace vae::bench
