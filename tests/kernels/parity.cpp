#include "tests/kernels/parity.h"

#include "tests/numeric.h"

namespace vae::test {

Tensor Operands::uniform(Shape shape, double low, double high) {
  return sample_tensor(shape, dtype_, device_, low, high, draws_++);
}

Tensor Operands::uniform_shifted(Shape shape, double low, double high) {
  const Tensor values = uniform({shape.numel() + 1}, low, high);
  return values.slice(1, shape.numel() + 1).reshape(shape);
}

Tensor Operands::integers(Shape shape, int64_t below) {
  std::vector<int64_t> values(shape.numel());
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int64_t>(i * 7919 + 13) % below;
  return Tensor::from(values, shape, device_);
}

std::vector<ParityCase> parity_cases() {
  std::vector<ParityCase> cases;
  add_augment_cases(cases);
  add_elementwise_cases(cases);
  add_image_cases(cases);
  add_indexing_cases(cases);
  add_reduction_cases(cases);
  add_training_cases(cases);
  return cases;
}

}  // namespace vae::test
