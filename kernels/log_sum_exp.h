#pragma once
// log(sum e^x) over the middle of outer x count x inner, shifted by the largest x:
//
//     y = top + log(sum e^(x - top) + eps),  top = max x
//
// eps (0 for the plain function) keeps the published importance-weighted bounds, which add it inside the
// logarithm. The derivative is exact in eps too: dy/dx = e^(x - y), and at the first largest x eps e^(top -
// y) more. All -inf gives -inf where eps = 0.
#include "kernels/reduce.h"

namespace vae::kernels {

/// x outer x count x inner with count > 0, y outer x inner, of one floating dtype; eps >= 0.
void check_log_sum_exp(const char* kernel, In x, In y, Axis axis, double eps);

}  // namespace vae::kernels
