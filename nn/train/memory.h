#pragma once
// Whether a training fits into memory, before it begins.
#include "nn/train/recipe.h"

namespace vae::train {

/// Bytes that a loss of `batch` rows and its backward walk take at their peak, beside parameters and
/// gradients: measured with two small batches, and a straight line through both. Buffers stay as they are;
/// gradients of parameters do not.
double activation_bytes(nn::Module& module, const std::function<Var(int64_t batch)>& loss, int64_t batch);

/// Bytes of the flat values, gradients, moments and averages of groups.
double optimizer_bytes(const std::vector<Group>& groups);

/// Bytes that a device can give: what it has free, and what its allocator keeps for reuse; none where the
/// device does not say.
std::optional<double> free_bytes(Device device);

/// Throws Error(usage) where a step of the recipe needs more than there is free: "--batch 512 needs about 31
/// GB of memory, 22 GB are free: a smaller one fits". Recipes without a probe() are not looked at.
void check_memory(Recipe& recipe, std::optional<double> free);
void check_memory(Recipe& recipe);

}  // namespace vae::train
