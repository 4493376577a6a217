#pragma once
// The order of units between the maps and the codes of the nets of smooth-ELBO learning.
#include "tensor/safetensors.h"

namespace vae::shot_vae {

/// [maps, pixels], as the published program has them, or [pixels, maps], as ours.
enum class Units { maps_first, maps_last };

/// Puts the units of the linear layers between maps and codes, which have the other order, into this one.
void reorder_units(SafeTensors& state, int64_t maps, Units order);

}  // namespace vae::shot_vae
