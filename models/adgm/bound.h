#pragma once
// The bound of labelled and unlabelled images, and the losses of training. Nats; B images, K classes, rows of
// samples in the order sample, class, image.
//
//   e = log p(x|.) + log p(y) - beta kl                                       per row
//   bound = mean over mc of { log mean over iw of e^e }                       per image and class
//   -L = mean bound(x, y),  -U = mean { sum_k q(k|x) bound(x, k) + H(q) },   J = L + alpha CE + U
//
// Where the configuration has an eps, it stands inside the logarithms of probabilities, and inside that of
// the mean over iw.
#include "models/adgm/model.h"

namespace vae::adgm {

/// Samples per image and class: mc outside, iw inside the logarithm.
struct Samples {
  int64_t mc = 1, iw = 1;
  int64_t count() const { return mc * iw; }
};

/// Weights of an objective: of the classification loss, and of the KL terms in the bounds of labelled and
/// unlabelled images (of all images, in models without labels).
struct Objective {
  double alpha = 0;
  Samples samples{};
  kernels::Schedule beta_labeled = kernels::Schedule::constant(1), beta = kernels::Schedule::constant(1);
  double class_threshold = 0;  ///< q(y|x) of a class below which its bound counts as 0 (nn/class_rows.h)
  /// Whether a KL term ever counts otherwise than once. Then the losses give the ELBOs of weight 1, too.
  bool is_weighted() const { return !(beta_labeled.is_one() && beta.is_one()); }
};

/// The bound per image and class [rows.per_sample()]; an undefined beta is one.
Var bound(const Model& model, const Terms& terms, const Rows& rows, const Var& beta, Samples samples,
          const Step& step);

/// x [Bl, D] with i64 labels [Bl], and u [Bu, D].
struct SemiBatch {
  Tensor x, labels, u;
  train::Share labeled, unlabeled;
};

/// J and its parts; the share of labelled images whose most probable class is theirs. ELBOs, mean bounds on
/// log p(x, y) of the labelled and on log p(x) of the unlabelled images, where the objective is weighted.
struct SemiLosses {
  Var total, labeled, unlabeled, classifier, accuracy;
  Var elbo_labeled{}, elbo_unlabeled{};
};
/// Noise and notes have the scopes "L" (bound of labelled images), "U" (of unlabelled ones, and their q(y|x))
/// and "C" (q(y|x) of labelled images).
SemiLosses semi_supervised_loss(const Model& model, const SemiBatch& batch, const Objective& objective,
                                const Step& step);

/// -mean { log p(x|.) - beta kl } of a model without labels; the ELBO where the objective is weighted.
struct UnsupervisedLosses {
  Var total, elbo{};
};
UnsupervisedLosses unsupervised_loss(const Model& model, const Tensor& x, train::Share images,
                                     const Objective& objective, const Step& step);

}  // namespace vae::adgm
