#pragma once
// Features of sets of images, with progress.
#include "models/features/extractor.h"
#include "tools/fid/comparison.h"

namespace vae::fid {

/// Progress lines on standard error; none where quiet.
Progress progress_of(bool quiet);

/// Features [n, width] of images u8 [n, h, w, c], a few at a time. Errors name the set.
Tensor features_of(const std::string& set, const Tensor& images, const features::Extractor& extractor,
                   const Progress& progress);

}  // namespace vae::fid
