#pragma once
// Golden files of symmetric learning and of the Frechet distance.
#include "file_kind.h"

namespace vae::golden {

/// The family "sym-vae".
Family sym_vae_family();

/// Iterations of either learning: losses, gradients, parameters and statistics.
FileKind sym_vae_training();
/// Images of random codes and of a Markov chain.
FileKind sym_vae_chain();
/// Thresholds, bytes of pictures, grids, running averages.
FileKind sym_vae_data();
/// FID-Inception-v3 with weights by formula: what it sees, its stages, its features.
FileKind sym_vae_inception();
/// Moments and distances of pairs of sets of features.
FileKind sym_vae_frechet();

}  // namespace vae::golden
