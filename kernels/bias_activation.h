#pragma once
// What stands behind a convolution, m x n (the channel is the last axis): a bias [n] and an activation.
#include "kernels/activation.h"

namespace vae::kernels {

/// Throws naming `kernel` unless y is floating and a defined bias, or its gradient, has one value per column.
void check_bias(const char* kernel, In bias, In y);
/// The same of bias_activation_bwd, whose activation has to be one with a slope of its value. dbias may have
/// several rows [parts, n], each the sum of some rows of dx, which add up to the gradient: then a device
/// needs no second launch.
void check_bias_activation_bwd(In dy, In y, In dx, In dbias, const Activation& activation);
/// How many parts of the rows of y [rows, n] are worth a block each.
int64_t bias_parts(In y);

}  // namespace vae::kernels
