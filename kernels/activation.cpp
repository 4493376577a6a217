#include "kernels/activation.h"

#include <fmt/format.h>

#include "kernels/elementwise/call.h"

namespace vae::kernels {

Activation activation(Map function) {
  Activation found{function, {}};
  dispatch_activation(found, [&]<class Op>(Op) {
    if constexpr (IsActivation<Op>) found.params = Op::activation;
  });
  return found;
}

Activation parse_activation(std::string_view name) {
  for (int i = 0; i < kMaps; ++i)
    if (const Map function{i}; is_activation(function) && name_of(function) == name)
      return activation(function);
  fail(ErrorKind::usage, "unknown activation '{}': expected one of {}", name,
       fmt::join(activation_names(), ", "));
}

bool has_slope_of_value(const Activation& activation) {
  bool has = false;
  dispatch_activation(activation, [&]<class Op>(Op) { has = HasSlopeOfValue<Op>; });
  return has;
}

std::string_view name_of(const Activation& activation) {
  return activation.function ? name_of(*activation.function) : "identity";
}

std::vector<std::string_view> activation_names() {
  std::vector<std::string_view> names;
  for (int i = 0; i < kMaps; ++i)
    if (const Map function{i}; is_activation(function)) names.push_back(name_of(function));
  return names;
}

}  // namespace vae::kernels
