#pragma once
// Random changes of the images of a batch, functions of the step.
#include "nn/train/step.h"

namespace vae::train {

/// Images [n, h, w, c], each moved by up to `pad` pixels along both axes (what comes in from outside is
/// reflected) and, where asked for, exchanged left and right with probability 1/2. Numbers come from the
/// streams NAME and "NAME/flip", of which images that are a share of a batch have theirs.
Tensor shifted(const Tensor& images, int64_t pad, bool flip, const std::string& name, const Step& step,
               Share batch = {});

/// Bytes [n, h, w, c] after so many random operations of random strength one behind the other, and Cutout
/// (kernels/strong_augment.h), as FixMatch does (Sohn et al., arXiv:2001.07685). Numbers come from streams
/// "NAME/...".
Tensor distorted(const Tensor& images, int64_t operations, const std::string& name, const Step& step,
                 Share batch = {});

}  // namespace vae::train
