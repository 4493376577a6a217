#pragma once
// What the differentiable functions are written with. A function computes y by forward kernels and records a
// closure that calls backward kernels into the slots of its inputs (tape.h).
#include "autograd/calling.h"
#include "autograd/tape.h"
#include "kernels/kernels.h"

namespace vae::autograd::detail {

// ---- messages of misuse. A signature is "linear(x, weight, bias)" or "a + b": it is read when a message is
// written, and costs nothing before.

std::string_view function_of(const char* signature);
std::string_view operand_of(const char* signature, size_t i);
/// "f32 [2, 3]"
std::string text_of(const Tensor& x);
inline std::string text_of(const Var& x) { return text_of(x.value()); }

/// Throws Error(usage) unless the operands are defined, of one dtype and on one device. Null ones are left
/// out.
void check_operands(const char* signature, std::initializer_list<const Var*> operands);
inline const Var* optional(const Var& x) { return x.defined() ? &x : nullptr; }
/// Throws Error(usage) for a tensor that is not i64 [count]: labels, indices, ids.
void check_integers(const char* function, const char* name, const Tensor& integers, int64_t count);
/// Throws Error(usage) unless gamma and beta of a batch norm have an element for each column of x, or,
/// of_first, for each of the first ones.
void check_batch_norm(const Var& x, const Var& gamma, const Var& beta, bool of_first = false);

// ---- shapes and gradients

/// A tensor of the dtype and on the device of x.
inline Tensor like(const Tensor& x, Shape shape) { return Tensor::empty(shape, x.dtype(), x.device()); }
inline int64_t columns_of(const Tensor& x) { return kernels::columns_of(x.shape()); }
inline int64_t rows_of(const Tensor& x) { return kernels::rows_of(x.shape()); }

/// The same extents but for the last.
Shape with_columns(const Shape& shape, int64_t columns);

/// The destination of a gradient of which only a part will be added to: zeroed if it holds nothing yet.
Tensor accumulator(const Backward& b, size_t i);

/// What a matrix product multiplies its destination with before it adds.
inline double beta_of(const Slot& slot) { return slot.write == kernels::Write::add ? 1.0 : 0.0; }

/// Gradient of input i as a sum of dy along an axis.
inline void sum_into(const Backward& b, size_t i, kernels::Axis axis) {
  const Slot slot = b.into(i);
  kernels::sum(b.dy(), slot.tensor, axis, 1.0, slot.write);
}

}  // namespace vae::autograd::detail
