#include "nn/module.h"

#include "kernels/kernels.h"

namespace vae::nn {
namespace {

std::string join(const std::string& a, const std::string& b) {
  return a.empty() ? b : b.empty() ? a : a + "." + b;
}

}  // namespace

Module::Module(Module* parent, const std::string& name)
    : options_(parent->options_), name_(name), path_(join(parent->path_, name)) {
  parent->children_.push_back(this);
}

void Module::set_training(bool training) {
  training_ = training && !frozen_;
  for (Module* child : children_) child->set_training(training);
}

void Module::freeze() {
  for (const Parameter& p : parameters_) p.var.node()->needs_grad = false;
  training_ = false, frozen_ = true;
  for (Module* child : children_) child->freeze();
}

std::vector<Module::Parameter> Module::parameters() const {
  std::vector<Parameter> all = parameters_;
  for (const Module* child : children_)
    for (Parameter& p : child->parameters()) all.push_back({join(child->name_, p.name), p.var});
  return all;
}

std::vector<Module::Buffer> Module::buffers() const {
  std::vector<Buffer> all = buffers_;
  for (const Module* child : children_)
    for (Buffer& b : child->buffers()) all.push_back({join(child->name_, b.name), b.tensor});
  return all;
}

int64_t Module::parameter_count() const {
  int64_t count = 0;
  for (const Parameter& p : parameters()) count += p.var.value().numel();
  return count;
}

void Module::add_state(StateDict& state, const std::string& prefix) const {
  for (const Parameter& p : parameters()) state.add(join(prefix, p.name), p.var.value());
  for (const Buffer& b : buffers()) state.add(join(prefix, b.name), b.tensor);
}

Var Module::parameter(std::string name, Shape shape, double value) {
  const Tensor tensor = Tensor::empty(shape, options_.dtype, options_.device);
  kernels::fill(tensor, value);
  parameters_.push_back({std::move(name), Var(tensor, true)});
  return parameters_.back().var;
}

Tensor Module::buffer(std::string name, Shape shape, double value) {
  const Tensor tensor = Tensor::empty(shape, options_.dtype, options_.device);
  kernels::fill(tensor, value);
  return buffer(std::move(name), tensor);
}

Tensor Module::buffer(std::string name, Tensor tensor) {
  buffers_.push_back({std::move(name), tensor});
  return tensor;
}

}  // namespace vae::nn
