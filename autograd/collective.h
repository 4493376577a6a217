#pragma once
// Differentiable sums over the ranks of a parallel run (tensor/communicator.h).
#include "autograd/variable.h"

namespace vae::autograd {

/// The sum over the ranks of what each gives for x, all of one shape; x itself in a process alone. A loss is
/// what the ranks' losses add up to, so the gradient is the sum of theirs.
Var all_sum(const Var& x);

}  // namespace vae::autograd
