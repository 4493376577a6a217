#pragma once
// Random numbers: the checks shared by all backends. `step` is the i64 scalar that numbers the draw.
#include "kernels/kernel.h"

namespace vae::kernels {

/// A floating output and its draw number.
void check_random(const char* kernel, Out y, In step);
/// Distinct items y of a pool, both i64 vectors.
void check_draw_items(In pool, Out y, In step);

}  // namespace vae::kernels
