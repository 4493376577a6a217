#pragma once
// Golden files of SHOT-VAE and what belongs to it.
#include "file_kind.h"

namespace vae::golden {

/// The family "shot-vae".
Family shot_vae_family();

/// Two updates of a small net by smooth-ELBO learning.
FileKind shot_vae_smooth();
/// An update by SHOT or M2, and an evaluation after it.
FileKind shot_vae_training();
/// An update of the classifier.
FileKind shot_vae_classifier();
/// Rates and weights of every epoch.
FileKind shot_vae_schedules();
/// Positions of labelled and held-out items in their classes.
FileKind shot_vae_splits();
/// Crops, flips and sizes of pictures.
FileKind shot_vae_pictures();

}  // namespace vae::golden
