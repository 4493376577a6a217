#pragma once
// Differentiable functions of images [n, h, w, channels]. The geometry is a kernels::Window; batch norm over
// the channels is batch_norm() of linear.h, which takes any shape as rows x channels.
#include "autograd/tape.h"
#include "kernels/conv.h"
#include "kernels/pool.h"

namespace vae::autograd {

using kernels::Window;

/// Cross-correlation with weights [out, kh, kw, in], and the activation behind it; bias [out] may be
/// undefined (kernels/conv.h).
Var conv2d(const Var& x, const Var& weight, const Var& bias, const Window& window,
           const kernels::Activation& activation = {});

/// Transposed convolution, the adjoint of the conv2d from [n, H, W, out] to x [n, h, w, in] with the same
/// window and weights [in, kh, kw, out], and the activation behind it; bias [out] may be undefined. The
/// extents are H = (h - 1) stride - 2 padding + kernel.
Var conv_transpose2d(const Var& x, const Var& weight, const Var& bias, const Window& window,
                     const kernels::Activation& activation = {});

/// Largest pixel under each window; the gradient goes to the first of equals.
Var max_pool2d(const Var& x, const Window& window);
/// Mean over each window, padding counted as zeros, or not counted with Divisor::pixels.
Var avg_pool2d(const Var& x, const Window& window, kernels::Divisor divisor = kernels::Divisor::window);
/// Mean over all pixels: [n, h, w, c] -> [n, c].
Var global_avg_pool(const Var& x);

}  // namespace vae::autograd
