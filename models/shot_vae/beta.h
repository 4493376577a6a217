#pragma once
// The weight of a mixture, drawn on the host.
#include "tensor/philox.h"

namespace vae::shot_vae {

/// Draw `number` of Beta(a, a), from Student's t by the polar method (Bailey, Math. Comp. 62, 1994). One for
/// a <= 0.
double symmetric_beta(double a, RandomKey key, int64_t number);

}  // namespace vae::shot_vae
