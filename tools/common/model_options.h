#pragma once
// Spellings of what models of several families are made of.
#include "kernels/activation.h"
#include "tools/common/spelling.h"

namespace vae::tool {

inline Spelling<kernels::Activation> activation() {
  return {"TEXT", kernels::parse_activation, [](const auto& a) { return std::string(kernels::name_of(a)); }};
}

/// "sigmoid, tanh or relu", for a help text.
inline std::string activations() {
  const std::vector<std::string_view> names = kernels::activation_names();
  return listed({names.begin(), names.end()});
}

}  // namespace vae::tool
