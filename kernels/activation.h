#pragma once
// The activation that a kernel applies to its result while it is in registers: one of a few functions of the
// elementwise list, or none.
#include <optional>

#include "kernels/elementwise/map.h"

namespace vae::kernels {

/// tanh, sigmoid, softplus, relu, leaky_relu or elu with its constants; no function: the identity.
struct Activation {
  std::optional<Map> function;
  Params params;
};

}  // namespace vae::kernels
