#include "nn/flat_parameters.h"

namespace vae::nn {

FlatParameters::FlatParameters(Module& module) {
  const std::vector<Module::Parameter> parameters = module.parameters();
  VAE_CHECK(!parameters.empty(), "a group without parameters");
  const Tensor& first = parameters.front().var.value();
  const int64_t alignment = 64 / static_cast<int64_t>(size_of(first.dtype()));
  const auto aligned = [&](int64_t n) { return (n + alignment - 1) / alignment * alignment; };
  int64_t total = 0;
  for (const Module::Parameter& p : parameters) {
    VAE_CHECK(p.var.value().dtype() == first.dtype() && p.var.value().device() == first.device(),
              "parameter {} is {}, the group is {}", p.name, p.var.value().str(), first.str());
    total += aligned(p.var.value().numel());
  }
  values_ = Tensor::zeros({total}, first.dtype(), first.device());
  gradients_ = Tensor::zeros({total}, first.dtype(), first.device());
  int64_t offset = 0;
  for (Module::Parameter p : parameters) {
    const Shape shape = p.var.shape();
    const auto slice = [&](const Tensor& flat) {
      return flat.slice(offset, offset + shape.numel()).reshape(shape);
    };
    p.var.rebind(slice(values_), slice(gradients_));
    parameters_.push_back(p.var);
    offset += aligned(shape.numel());
  }
}

void FlatParameters::clear_gradients() {
  for (Var& p : parameters_) p.clear_grad();
}

void FlatParameters::finish_gradients() {
  for (const Var& p : parameters_)
    if (!p.has_grad()) p.node()->grad.zero();
}

void FlatParameters::need_gradients(bool needed) {
  for (const Var& p : parameters_) p.node()->needs_grad = needed;
}

}  // namespace vae::nn
