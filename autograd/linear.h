#pragma once
// Differentiable matrix products, and the batch norm of their rows.
#include "autograd/tape.h"
#include "kernels/kernels.h"

namespace vae::autograd {

/// x W^T + b for rows x [n, in] and W [out, in]; b is [out], [n, out], or repeating(b) of fewer rows, or
/// undefined. Images are rows of channels, and the result is [rows, out].
Var linear(const Var& x, const Var& weight, const Var& bias);
/// op(a) op(b), where op transposes on request; both may need gradients.
Var matmul(const Var& a, kernels::Transpose ta, const Var& b, kernels::Transpose tb);
/// x[m, n] -> [n, m]
Var transpose(const Var& x);

/// Batch norm over the rows in training mode and the activation behind it (kernels/batch_norm.h); running
/// statistics, where defined, are updated in place. Images are rows of channels; one row alone, which would
/// be its own mean, is refused.
Var batch_norm(const Var& x, const Var& gamma, const Var& beta, const Tensor& running_mean,
               const Tensor& running_var, kernels::BatchNormRule rule,
               const kernels::Activation& activation = {});

/// The same of the first columns of x, as many as gamma has: y [rows, gamma.numel()].
Var batch_norm_of_first(const Var& x, const Var& gamma, const Var& beta, const Tensor& running_mean,
                        const Tensor& running_var, kernels::BatchNormRule rule,
                        const kernels::Activation& activation = {});

}  // namespace vae::autograd
