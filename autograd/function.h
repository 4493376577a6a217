#pragma once
// What the differentiable functions are written with. A function computes y by forward kernels and records a
// closure that calls backward kernels into the slots of its inputs (tape.h).
#include "autograd/tape.h"
#include "kernels/kernels.h"

namespace vae::autograd::detail {

/// A tensor of the dtype and on the device of x.
inline Tensor like(const Tensor& x, Shape shape) { return Tensor::empty(shape, x.dtype(), x.device()); }
inline int64_t columns_of(const Tensor& x) { return kernels::columns_of(x.shape()); }
inline int64_t rows_of(const Tensor& x) { return kernels::rows_of(x.shape()); }

/// What a matrix product multiplies its destination with before it adds.
inline double beta_of(const Slot& slot) { return slot.write == kernels::Write::add ? 1.0 : 0.0; }

/// Gradient of input i as a sum of dy along an axis.
inline void sum_into(const Backward& b, size_t i, kernels::Axis axis) {
  const Slot slot = b.into(i);
  kernels::sum(b.dy(), slot.tensor, axis, 1.0, slot.write);
}

}  // namespace vae::autograd::detail
