#include "tools/bench/case.h"

namespace vae::bench {

// In f32 on the CPU for all, so that no rounding puts the same number on two sides of a threshold.
Tensor Operands::uniform(Shape shape, double low, double high) {
  const Tensor x = Tensor::empty(shape), y = Tensor::empty(shape, dtype_);
  kernels::random_uniform(x, {0, draws_++}, Tensor::scalar(int64_t{0}));
  kernels::map_fwd(kernels::Map::affine, {high - low, low}, {&x, 1}, x);
  kernels::cast(x, y);
  return device_.is_cpu() ? y : y.to(device_);
}

Tensor Operands::bytes(Shape shape) {
  const Tensor x = Operands(kCpu, DType::f32).uniform(shape, 0, 256), y = Tensor::empty(shape, DType::u8);
  kernels::cast(x, y);
  return device_.is_cpu() ? y : y.to(device_);
}

Tensor Operands::integers(int64_t count, int64_t below) const {
  std::vector<int64_t> values(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) values[i] = (i * 7919 + 3) % below;
  return Tensor::from(values, {count}, device_);
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  add_elementwise(cases);
  add_rows(cases);
  add_gemm(cases);
  add_conv(cases);
  add_batches(cases);
  add_training(cases);
  return cases;
}

}  // namespace vae::bench
