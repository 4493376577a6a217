#include "tests/autograd/cases/catalogue.h"

#include <map>

namespace vae::autograd {

std::vector<Case> catalogue() {
  std::vector<Case> cases;
  detail::add_elementwise_cases(cases);
  detail::add_linear_cases(cases);
  detail::add_rows_cases(cases);
  detail::add_reduce_cases(cases);
  detail::add_loss_cases(cases);
  detail::add_image_cases(cases);
  return cases;
}

Tensor detail::integers(const std::vector<int64_t>& values, const Var& x) {
  static std::map<std::pair<std::string, std::vector<int64_t>>, Tensor> made;
  const Device device = x.value().device();
  Tensor& tensor = made[{device.str(), values}];
  if (!tensor.defined()) tensor = Tensor::from(values, {static_cast<int64_t>(values.size())}, device);
  return tensor;
}

Tensor detail::labels_of(int64_t rows, int64_t classes, const Var& x) {
  std::vector<int64_t> labels(static_cast<size_t>(rows));
  for (int64_t r = 0; r < rows; ++r) labels[static_cast<size_t>(r)] = (r * 7 + 3) % classes;
  return integers(labels, x);
}

}  // namespace vae::autograd
