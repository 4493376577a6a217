#pragma once
// Differentiable reductions over all elements, an axis or the columns, and softmax.
#include "autograd/tape.h"
#include "kernels/reduce.h"

namespace vae::autograd {

/// Sum of all elements; and that times a scale.
Var sum(const Var& x);
Var scaled_sum(const Var& x, double scale);
/// scale times the sum of a b, of equal sizes; one number.
Var dot(const Var& a, const Var& b, double scale = 1);
Var sum(const Var& x, double) = delete;  // an axis is a kernels::Axis; a scale is asked for by scaled_sum()
/// Mean of all elements.
Var mean(const Var& x);

// ---- axes: x seen as outer x count x inner; the result is [outer], [inner] or [outer, inner]

/// Sum over the axis; and that times a scale.
Var sum(const Var& x, kernels::Axis axis);
Var scaled_sum(const Var& x, kernels::Axis axis, double scale);
/// Mean over the axis, which must not be empty.
Var mean(const Var& x, kernels::Axis axis);
/// log(sum e^x) over the axis, eps inside the logarithm as kernels/log_sum_exp.h says.
Var log_sum_exp(const Var& x, kernels::Axis axis, double eps = 0);
/// log(mean e^(x - max) + eps) + max over the axis: an importance-weighted bound from its log-weights.
Var log_mean_exp(const Var& x, kernels::Axis axis, double eps = 0);

// ---- columns

Var softmax(const Var& x);
Var log_softmax(const Var& x);

}  // namespace vae::autograd
