#pragma once
// Calls an elementwise function: by its enumerator, and whatever its number of operands, unused ones being
// ignored.
#include "kernels/activation.h"
#include "kernels/elementwise/map.h"
#include "kernels/elementwise/ops.h"
#include "kernels/elementwise/ops_losses.h"

namespace vae::kernels {

/// Calls f(Struct{}) with the struct of an enumerator.
template <class F>
decltype(auto) dispatch_map(Map op, F&& f) {
  switch (op) {
#define VAE_MAP(type, name) \
  case Map::name:           \
    return f(type{});
#include "kernels/elementwise/list.h"
#undef VAE_MAP
  }
  fail(ErrorKind::internal, "unknown elementwise function {}", static_cast<int>(op));
}

/// The function of an absent activation.
struct Identity {
  static constexpr int arity = 1;
  static constexpr bool slope_of_value = true;
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
Constants<T> constants_of(const Params& params) {
  return {static_cast<T>(params.a), static_cast<T>(params.b), static_cast<T>(params.scale)};
}

/// Whether a function is an activation (activation.h).
template <class Op>
concept IsActivation = requires {
  Op::activation;
};

/// Whether the derivative follows from the value alone: d0(y, y) is it.
template <class Op>
concept HasSlopeOfValue = requires {
  Op::slope_of_value;
};

/// Calls f(Struct{}), which returns nothing, with the struct of an activation; throws for any other function.
template <class F>
void dispatch_activation(const Activation& activation, F&& f) {
  if (!activation.function) return f(Identity{});
  dispatch_map(*activation.function, [&]<class Op>(Op op) {
    if constexpr (IsActivation<Op>)
      f(op);
    else
      fail(ErrorKind::internal, "{} is no activation", name_of(*activation.function));
  });
}

template <class Op, class T>
VAE_HD T value(T x0, [[maybe_unused]] T x1, [[maybe_unused]] T x2, Constants<T> k) {
  if constexpr (Op::arity == 1)
    return Op::fwd(x0, k);
  else if constexpr (Op::arity == 2)
    return Op::fwd(x0, x1, k);
  else
    return Op::fwd(x0, x1, x2, k);
}

/// Partial derivative by operand wrt; y is the value.
template <class Op, int wrt, class T>
VAE_HD T partial(T x0, [[maybe_unused]] T x1, [[maybe_unused]] T x2, T y, Constants<T> k) {
  if constexpr (Op::arity == 1)
    return Op::d0(x0, y, k);
  else if constexpr (Op::arity == 2 && wrt == 0)
    return Op::d0(x0, x1, y, k);
  else if constexpr (Op::arity == 2)
    return Op::d1(x0, x1, y, k);
  else if constexpr (wrt == 0)
    return Op::d0(x0, x1, x2, y, k);
  else if constexpr (wrt == 1)
    return Op::d1(x0, x1, x2, y, k);
  else
    return Op::d2(x0, x1, x2, y, k);
}

}  // namespace vae::kernels
