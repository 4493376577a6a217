#pragma once
// Initialisers. Each parameter draws from a stream named by its path, so values do not depend on the order of
// layers.
#include "nn/module.h"

namespace vae::nn {

/// Every weight (rank two and more) ~ N(0, (scale / sqrt(fan_in))^2), where the fan-in of a convolution
/// counts its window; other parameters keep their constants.
void init_normal_fan_in(const Module& module, double scale, uint64_t seed);
/// Every weight ~ N(0, deviation^2); other parameters keep their constants.
void init_normal(const Module& module, double deviation, uint64_t seed);

/// Every weight ~ N(0, 2 / (in + out)), or U(-b, b) with b = sqrt(6 / (in + out)) (Glorot & Bengio, 2010);
/// other parameters keep their constants. Weights of one layer ("weight", or parts "weight_...") count
/// together.
void init_glorot_normal(const Module& module, uint64_t seed);
void init_glorot_uniform(const Module& module, uint64_t seed);
/// Every weight ~ U(-b, b), b = sqrt(6 / fan_in) (He et al., arXiv:1502.01852); other parameters keep their
/// constants.
void init_he_uniform(const Module& module, uint64_t seed);
/// Weights and their biases ~ U(-1/sqrt(in), 1/sqrt(in)); of a convolution, `in` counts the window.
void init_uniform_fan_in(const Module& module, uint64_t seed);
/// As above from the module's own seed, where all its weights are still zero.
void init_where_zero(const Module& module);

}  // namespace vae::nn
