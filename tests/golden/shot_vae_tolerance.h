#pragma once
// How far the tensors of SHOT-VAE's files may be off.
#include "golden.h"

namespace vae::golden {

std::optional<Tolerance> shot_vae_tolerance(const File& file, const std::string& name, DType precision);

}  // namespace vae::golden
