#pragma once
// The activation that a kernel applies to its result while it is in registers: one of a few functions of the
// elementwise list, or none.
#include <optional>

#include "kernels/elementwise/call.h"
#include "kernels/elementwise/map.h"

namespace vae::kernels {

/// tanh, sigmoid, softplus, relu, leaky_relu or elu with its constants; no function: the identity.
struct Activation {
  std::optional<Map> function;
  Params params;
};

/// The function of an absent activation.
struct Identity {
  static constexpr int arity = 1;
  template <class T>
  VAE_HD static T fwd(T x, Constants<T>) {
    return x;
  }
  template <class T>
  VAE_HD static T d0(T, T, Constants<T>) {
    return T(1);
  }
};

template <class T>
Constants<T> constants_of(const Activation& activation) {
  return {static_cast<T>(activation.params.a), static_cast<T>(activation.params.b)};
}

/// Calls f(Struct{}) with the struct of an activation; throws for any other function.
template <class F>
decltype(auto) dispatch_activation(const Activation& activation, F&& f) {
  if (!activation.function) return f(Identity{});
  switch (*activation.function) {
    case Map::tanh:
      return f(Tanh{});
    case Map::sigmoid:
      return f(Sigmoid{});
    case Map::softplus:
      return f(Softplus{});
    case Map::relu:
      return f(Relu{});
    case Map::leaky_relu:
      return f(LeakyRelu{});
    case Map::elu:
      return f(Elu{});
    default:
      fail(ErrorKind::internal, "{} is no activation", name_of(*activation.function));
  }
}

}  // namespace vae::kernels
