#pragma once
// Points on the principal axes of a cloud.
#include <array>
#include <vector>

#include "tensor/tensor.h"

namespace vae::eval {

/// Rows of x [n, d] on the two axes of largest variance, measured from their mean; the sign of an axis makes
/// its largest component positive. With one column the second coordinate is zero.
std::vector<std::array<double, 2>> on_principal_axes(const Tensor& x);

}  // namespace vae::eval
