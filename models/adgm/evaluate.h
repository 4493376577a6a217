#pragma once
// What trained models are asked: predictions, likelihoods, active units, reconstructions. Without a tape, the
// model in test mode. `step` is the last one of the training (train::last_step), which gives scheduled
// numbers and noise.
#include <map>

#include "models/adgm/bound.h"
#include "nn/eval/estimate.h"
#include "nn/train/image_set.h"

namespace vae::adgm {

using train::ImageSet;

/// Most probable class of each item under q(y|x) averaged over draws of the auxiliary variable.
std::vector<int64_t> predict(const Model& model, const ImageSet& images, const Tensor& items, int64_t draws,
                             const Step& step);

/// Mean over items of the importance-weighted estimate of -log p(x), nats (arXiv:1509.00519), classes summed
/// out. Throws Error(usage) for models whose bound is none of importance weights: the stacked one, the Gumbel
/// VAE, and flows that are not fixed.
double importance_nll(const Model& model, const ImageSet& images, const Tensor& items, int64_t samples,
                      const Step& step);

/// The active units of each layer over the items.
std::map<std::string, eval::ActiveUnits> active_units(const Model& model, const ImageSet& images,
                                                      const Tensor& items, const Step& step);

/// Codes and reconstructions of inputs x under their most probable class.
struct Reconstruction {
  Tensor z;       ///< [rows, width of the (top) latent variable]
  Tensor images;  ///< [rows, x_size], probabilities
};
Reconstruction reconstruct(const Model& model, const Tensor& x, const Step& step);

/// Images [rows, x_size] of codes z, with labels (i64 [rows]) where the model has any.
Tensor generate(const Model& model, const Tensor& z, const Tensor& labels, const Step& step);
/// Images [rows, classes, x_size]: each code under the first of the classes.
Tensor generate_classes(const Model& model, const Tensor& z, int64_t classes, const Step& step);

}  // namespace vae::adgm
