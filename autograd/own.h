#pragma once
// Differentiable elementwise functions of a program's own: a struct with its value and derivatives, as
// kernels/elementwise/map_of.h says. Operands broadcast and gradients add up as those of other functions do.
#include <concepts>

#include "autograd/elementwise.h"
#include "kernels/elementwise/map_of.h"

namespace vae::autograd {

/// y = f(x...), with the constants k.a and k.b.
template <class Op>
Var map(std::initializer_list<Var> x, kernels::Params params = {}) {
  const kernels::Map op = kernels::map_of<Op>();
  return detail::map(kernels::own_map(op)->signature.c_str(), op, x, params);
}
template <class Op, std::same_as<Var>... X>
Var map(const X&... x) {
  static_assert(sizeof...(X) == Op::arity, "as many operands as the function has");
  return map<Op>({x...});
}

/// y[r] = sum over the columns of f(x...), without storing the terms: a likelihood, a divergence.
template <class Op>
Var rowsum(std::initializer_list<Var> x, kernels::Params params = {}) {
  const kernels::Map op = kernels::map_of<Op>();
  return detail::rowsum(kernels::own_map(op)->signature.c_str(), op, x, params);
}
template <class Op, std::same_as<Var>... X>
Var rowsum(const X&... x) {
  static_assert(sizeof...(X) == Op::arity, "as many operands as the function has");
  return rowsum<Op>({x...});
}

}  // namespace vae::autograd
