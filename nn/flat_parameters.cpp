#include "nn/flat_parameters.h"

#include <algorithm>

#include "autograd/calling.h"

namespace vae::nn {

using autograd::misuse;

FlatParameters::FlatParameters(Module& module) {
  std::vector<Module::Parameter> parameters = module.parameters();
  constexpr const char* name = "FlatParameters";
  if (parameters.empty()) misuse(name, "the module has no parameters");
  std::erase_if(parameters, [](const Module::Parameter& p) { return !p.var.needs_grad(); });
  if (parameters.empty()) misuse(name, "all parameters of the module are frozen");
  const Tensor& first = parameters.front().var.value();
  const int64_t alignment = 64 / static_cast<int64_t>(size_of(first.dtype()));
  const auto aligned = [&](int64_t n) { return (n + alignment - 1) / alignment * alignment; };
  int64_t total = 0;
  for (const Module::Parameter& p : parameters) {
    if (p.var.value().dtype() != first.dtype() || p.var.value().device() != first.device())
      misuse(name, "parameter {} is {}, but {} is {}: they have one dtype and lie on one device", p.name,
             p.var.value().str(), parameters.front().name, first.str());
    if (p.var.node()->parameter)
      misuse(name,
             "parameter {} lies in another FlatParameters already, which would train nothing from now on: "
             "one for "
             "each module, and one optimiser over it",
             p.name);
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
    offsets_.push_back(offset);
    offset += aligned(shape.numel());
  }
  offsets_.push_back(offset);
  stepped_ = {{0, offset}};
}

FlatParameters::~FlatParameters() {
  for (const Var& p : parameters_) p.node()->parameter = false;
}

void FlatParameters::clear_gradients() {
  for (Var& p : parameters_) p.clear_grad();
  state_ = Gradients::open;
}

void FlatParameters::finish_gradients() {
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const size_t first = i;
    while (i < parameters_.size() && !parameters_[i].has_grad()) ++i;
    if (i > first) gradients_.slice(offsets_[first], offsets_[i]).zero();  // neighbours at once
  }
  if (state_ == Gradients::open) state_ = Gradients::finished;
}

const Tensor& FlatParameters::take_gradients() {
  constexpr const char* step = "Optimizer::step";
  if (state_ == Gradients::taken)
    misuse(step,
           "the gradients were applied by the step before: clear_gradients() and backward() come first");
  if (state_ == Gradients::open) {
    if (std::ranges::none_of(parameters_, [](const Var& p) { return p.has_grad(); }))
      misuse(step, "no backward() has reached a parameter of this optimiser since clear_gradients()");
    finish_gradients();
  }
  state_ = Gradients::taken;
  return gradients_;
}

std::vector<FlatParameters::Part> FlatParameters::parts() const {
  std::vector<Part> parts;
  for (size_t i = 0; i < parameters_.size(); ++i) parts.push_back({parameters_[i], offsets_[i + 1]});
  return parts;
}

void FlatParameters::need_gradients(bool needed) {
  for (const Var& p : parameters_) p.node()->needs_grad = needed;
}

}  // namespace vae::nn
