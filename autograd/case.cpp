#include "autograd/case.h"

#include <cmath>

namespace vae::autograd {

Tensor case_values(const CaseInput& input, uint64_t stream, DType dtype, Device device) {
  constexpr double kKinkDistance = 0.05;
  std::vector<float> values(static_cast<size_t>(input.shape.numel()));
  for (size_t i = 0; i < values.size(); ++i) {
    const float u = uniform01(random_block({2024, stream}, 0, i).v[0]);
    double x = input.low + u * (input.high - input.low);
    for (const double kink : input.kinks)
      if (std::abs(x - kink) < kKinkDistance) x = kink + (x < kink ? -kKinkDistance : kKinkDistance);
    values[i] = static_cast<float>(x);
  }
  const Tensor exact = Tensor::from(values, input.shape, device);
  return dtype == DType::f32 ? exact : kernels::converted(exact, dtype);
}

std::vector<Var> make_inputs(const Case& sample, DType dtype, Device device) {
  std::vector<Var> inputs;
  for (const CaseInput& input : sample.inputs)
    inputs.emplace_back(case_values(input, inputs.size(), dtype, device), input.needs_grad);
  return inputs;
}

std::vector<std::string> uncovered_ops(const std::set<std::string>& observed,
                                       const std::vector<Case>& cases) {
  std::set<std::string> covered;
  for (const Case& sample : cases) covered.insert(sample.op);
  std::vector<std::string> missing;
  for (const std::string& op : observed)
    if (!covered.contains(op)) missing.push_back(op);
  return missing;
}

}  // namespace vae::autograd
