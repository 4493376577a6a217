#pragma once
// Activations: the elementwise functions of one operand that nets may choose and that a kernel may apply to
// its result while that is in registers. A function is one by its struct (elementwise/ops.h) naming the
// constants that it has by default as an activation: `static constexpr Params activation{...}`.
#include <optional>
#include <string_view>
#include <vector>

#include "kernels/elementwise/map.h"

namespace vae::kernels {

/// A function with its constants; none: the identity.
struct Activation {
  std::optional<Map> function;
  Params params;
  bool operator==(const Activation&) const = default;
};

/// max(x, 0).
inline constexpr Activation kRelu{Map::relu, {}};

/// A function with its default constants; throws Error(internal) where it is no activation.
Activation activation(Map function);
/// The same by its name in elementwise/list.h; throws Error(usage), with all names, for any other.
Activation parse_activation(std::string_view name);
/// Whether its derivative follows from its value alone, as those of the identity, relu, sigmoid and tanh do.
bool has_slope_of_value(const Activation& activation);
/// The name of the function, or "identity".
std::string_view name_of(const Activation& activation);
/// The names of all activations, in the order of the list.
std::vector<std::string_view> activation_names();

}  // namespace vae::kernels
