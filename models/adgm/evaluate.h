#pragma once
// What trained models are asked: inputs, predictions, likelihoods, active units, reconstructions. In test
// mode, without a tape.
#include "models/adgm/bound.h"
#include "models/common/evaluation.h"
#include "models/common/image_set.h"

namespace vae::models::adgm {

/// Images as the models see them: as they are, or each pixel drawn as 0 or 1 with its grey value as
/// probability.
struct PixelSet {
  ImageSet images;
  bool drawn = true;

  /// Inputs [items, x_size]; draw number `number` (i64 scalar on the device) of the key.
  Tensor gather(const Tensor& items, RandomKey key, const Tensor& number) const;
  /// One-hot labels [items, classes].
  Tensor gather_labels(const Tensor& items, int64_t classes) const;
};

/// Bernoulli draws with probabilities p.
Tensor draw_pixels(const Tensor& p, RandomKey key, const Tensor& number);

/// Noise from streams named by call and draw, of draw number `number`.
Pass random_pass(uint64_t seed, const std::string& call, const Tensor& number, const Tensor& like);

/// Most probable class of each item under q(y|x) averaged over draws of the auxiliary variable.
std::vector<int64_t> predict(const Model& model, const PixelSet& images, const Tensor& items, int64_t draws,
                             uint64_t seed);

/// Mean over items of the importance-weighted estimate of -log p(x), nats (arXiv:1509.00519), classes summed
/// out. Throws Error(usage) for models whose bound is none of importance weights: the stacked one, the Gumbel
/// VAE, and flows that are not fixed.
double importance_nll(const Model& model, const PixelSet& images, const Tensor& items, int64_t samples,
                      uint64_t seed);

/// Latent variables whose posterior mean varies over the items by more than 0.01 (arXiv:1509.00519), by
/// layer.
struct ActiveUnits {
  std::string layer;
  int64_t active = 0, all = 0;
};
std::vector<ActiveUnits> active_units(const Model& model, const PixelSet& images, const Tensor& items,
                                      uint64_t seed);

/// Codes and reconstructions of inputs x under their most probable class.
struct Reconstruction {
  Tensor z;       ///< [rows, width of the (top) latent variable]
  Tensor images;  ///< [rows, x_size], probabilities
};
Reconstruction reconstruct(const Model& model, const Tensor& x, uint64_t seed);

/// Images [rows, x_size] of codes z, with labels (i64 [rows]) where the model has any.
Tensor generate(const Model& model, const Tensor& z, const Tensor& labels, uint64_t seed);
/// Images [rows, K, x_size]: each code under every class.
Tensor generate_all_classes(const Model& model, const Tensor& z, uint64_t seed);

}  // namespace vae::models::adgm
