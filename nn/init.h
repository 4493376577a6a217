#pragma once
// Initialisers. Each parameter draws from a stream named by its path, so values do not depend on the order of
// layers.
#include "nn/module.h"

namespace vae::nn {

/// Every weight of rank two (Linear) ~ N(0, (scale / sqrt(fan_in))^2); other parameters keep their constants.
void init_normal_fan_in(Module& module, double scale, uint64_t seed);

}  // namespace vae::nn
