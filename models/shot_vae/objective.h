#pragma once
// The numbers of SHOT-VAE's objectives, most of which change from epoch to epoch.
#include "nn/train/step.h"

namespace vae::shot_vae {

using autograd::Var;

/// How far reconstructions are from images x in [0, 1]: -log Bernoulli(x; sigmoid(logits)), or
/// (sigmoid(logits) - x)^2 / (2 sigma^2).
enum class Reconstruction { bernoulli, squared };

/// A number that rises over so many epochs (kernels::Schedule::ramp).
struct Ramp {
  double top = 0;
  int64_t epochs = 0;
};

/// The bound ew (recon + beta_z |KL_z - target_z| + beta_y |KL_y - target_y|), and what SHOT adds: the
/// distance of the codes of mixed images from mixed codes, weighted ew beta_z distance, and the
/// classification of mixed unlabelled images.
struct Objective {
  Reconstruction reconstruction = Reconstruction::squared;
  double sigma = 1;
  Ramp target_z{0, 200}, target_y{2.3, 200};  ///< nats
  Ramp beta_z{1e-3, 200}, beta_y{1e-3, 200};
  Ramp elbo{1e-3, 400};
  double elbo_boost = 5;     ///< factor of `elbo` behind epoch number `boost_after`
  int64_t boost_after = -1;  ///< counted from 0; below 0: never
  Ramp distance{1, 200}, unlabeled{1, 240};
};

enum class Method { shot, m2 };

/// What the published programs train a data set ("cifar10", "cifar100", "svhn") by, in so many epochs, where
/// the rate first drops behind epoch `first_drop` and this share of the images has labels. Other sets: as
/// cifar10, without the boost.
Objective reference_objective(Method method, const std::string& dataset, int64_t epochs, int64_t first_drop,
                              double labeled);

/// The weights and targets of a step, each a scalar on the device, that of the distance with all its factors;
/// noted as in the published code ("sched_ew").
struct Terms {
  Terms(const Objective& objective, int64_t epoch_length, const train::Step& step);
  Var target_z, target_y, beta_z, beta_y, elbo, distance, unlabeled;
};

/// A learning rate in steps: a fifth of `start` in the first epoch, then `start`, multiplied by `factor`
/// behind each of the epochs `drops` (counted from 0, at most six).
struct LearningRate {
  double start = 0.1, factor = 0.1;
  std::vector<int64_t> drops{400, 500, 550};
  kernels::Schedule schedule(int64_t epoch_length) const;
};

}  // namespace vae::shot_vae
