#pragma once
// What stands behind a convolution, m x n (the channel is the last axis): a bias [n] and an activation.
#include "kernels/activation.h"

namespace vae::kernels {

/// Throws naming `kernel` unless y is floating and a defined bias, or its gradient, has one value per column.
void check_bias(const char* kernel, In bias, In y);
/// The same of bias_activation_bwd, whose activation has to be one with a slope of its value.
void check_bias_activation_bwd(In dy, In y, In dx, In dbias, const Activation& activation);

}  // namespace vae::kernels
