#include "nn/state.h"

namespace vae::nn {

void StateDict::add(std::string name, Tensor tensor) {
  VAE_CHECK(!find(name), "state '{}' is there already", name);
  VAE_CHECK(tensor.defined(), "state '{}' is undefined", name);
  entries_.emplace_back(std::move(name), std::move(tensor));
}

const Tensor* StateDict::find(const std::string& name) const {
  for (const auto& [known, tensor] : entries_)
    if (known == name) return &tensor;
  return nullptr;
}

}  // namespace vae::nn
