#pragma once
// The bound of labelled and unlabelled images, and the losses of training. Nats; B images, K classes, rows of
// samples in the order sample, class, image.
//
//   e = log p(x|.) + log p(y) - beta kl                                       per row
//   bound = mean over mc of { log mean over iw of e^e }                       per image and class
//   -L = mean bound(x, y),  -U = mean { sum_k q(k|x) bound(x, k) + H(q) },   J = L + alpha CE + U
//
// beta is one number on the device. Where the configuration has an eps, it stands inside the logarithms of
// probabilities, and inside that of the mean over iw.
#include "models/adgm/model.h"

namespace vae::models::adgm {

/// Samples per image and class: mc outside, iw inside the logarithm.
struct Sampler {
  int64_t mc = 1, iw = 1;
  int64_t samples() const { return mc * iw; }
};

/// The bound per image and class [classes * images].
Var bound(const Model& model, const Model::Terms& terms, const Rows& rows, const Var& beta, Sampler sampler,
          const Pass& pass);

/// What a batch is made of, all on the device: x [Bl, D], one-hot y [Bl, K], u [Bu, D]; betas of the two
/// bounds.
struct SemiBatch {
  Tensor x, y, u, beta_labelled, beta_unlabelled;
};

/// Noise and trace of the calls "L" (bound of labelled images), "U" (of unlabelled ones, and their q(y|x))
/// and "C" (q(y|x) of labelled images).
using Passes = std::function<Pass(const char* call)>;

/// J and its parts; the share of labelled images whose most probable class is theirs.
struct SemiLosses {
  Var total, labelled, unlabelled, classifier;
  Tensor accuracy;
};
SemiLosses semi_supervised_loss(const Model& model, const SemiBatch& batch, double alpha, Sampler sampler,
                                const Passes& passes);

/// -mean { log p(x|.) - beta kl } of a model without labels.
Var unsupervised_loss(const Model& model, const Var& x, const Var& beta, const Pass& pass);

}  // namespace vae::models::adgm
