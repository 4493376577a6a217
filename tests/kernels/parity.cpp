#include "tests/kernels/parity.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <sstream>

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
  const char* names = std::getenv("VAE_TEST_KERNELS");
  if (!names) return cases;
  std::istringstream words(names);
  std::set<std::string> wanted;
  for (std::string word; words >> word; wanted.insert(word))
    VAE_CHECK(std::any_of(cases.begin(), cases.end(), [&](const ParityCase& c) { return c.kernel == word; }),
              "VAE_TEST_KERNELS: no kernel {}", word);
  std::erase_if(cases, [&](const ParityCase& c) { return !wanted.contains(c.kernel); });
  return cases;
}

}  // namespace vae::test
