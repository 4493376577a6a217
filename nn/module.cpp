#include "nn/module.h"

namespace vae::nn {

void Module::set_training(bool training) {
  training_ = training;
  for (const Child& child : children_) child.module->set_training(training);
}

void Module::freeze() {
  for (const Parameter& p : parameters()) p.var->node()->needs_grad = false;
  set_training(false);
}

std::vector<Module::Parameter> Module::parameters() {
  std::vector<Parameter> all = parameters_;
  for (const Child& child : children_)
    for (Parameter& p : child.module->parameters()) all.push_back({child.name + "." + p.name, p.var});
  return all;
}

std::vector<Module::Buffer> Module::buffers() {
  std::vector<Buffer> all = buffers_;
  for (const Child& child : children_)
    for (Buffer& b : child.module->buffers()) all.push_back({child.name + "." + b.name, b.tensor});
  return all;
}

int64_t Module::parameter_count() {
  int64_t count = 0;
  for (const Parameter& p : parameters()) count += p.var->value().numel();
  return count;
}

void Module::add_state(train::StateDict& state, const std::string& prefix) {
  const std::string path = prefix.empty() ? "" : prefix + ".";
  for (const Parameter& p : parameters()) state.add(path + p.name, p.var->value());
  for (const Buffer& b : buffers()) state.add(path + b.name, *b.tensor);
}

}  // namespace vae::nn
