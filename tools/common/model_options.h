#pragma once
// Spellings of what models of several families are made of.
#include "kernels/activation.h"
#include "tools/common/option_table.h"

namespace vae::tool {

inline Spelling<kernels::Activation> activation() {
  return {"TEXT", kernels::parse_activation, [](const auto& a) { return std::string(kernels::name_of(a)); }};
}

/// "sigmoid, tanh or relu", for a help text.
inline std::string activations() {
  const std::vector<std::string_view> names = kernels::activation_names();
  return listed({names.begin(), names.end()});
}

/// Of bounds summed over classes: at most so much that no image is without a class that counts.
inline void describe_class_threshold(const OptionTable& table, double& threshold) {
  table
      .add("class-threshold", threshold,
           "on the CPU, bounds of classes less probable than this are not computed; 0: all are",
           between(0.0, 1e-3))
      .changeable();
}

}  // namespace vae::tool
