#pragma once
// Calls an elementwise function, whatever its number of operands: unused ones are ignored.
#include "kernels/elementwise/ops.h"
#include "kernels/elementwise/ops_losses.h"

namespace vae::kernels {

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
