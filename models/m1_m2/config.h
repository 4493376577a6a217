#pragma once
// Configurations of M1 and M2: Kingma, Rezende, Mohamed, Welling, "Semi-supervised learning with deep
// generative models", NIPS 2014, arXiv:1406.5298. Defaults are those of the public Chainer implementation
// whose results the presets reproduce (docs/m1_m2.md).
#include "nn/distributions.h"
#include "nn/train/update.h"

namespace vae::m1_m2 {

using autograd::Var;
using nn::Gaussian, nn::Likelihood, nn::LikelihoodKind;

/// How log p(z) - log q(z) enters the bound: as closed-form KL, or as two explicit terms.
enum class ZTerms { kl, explicit_terms };
/// An explicit term: its expectation under q, or its value at the sampled z.
enum class ZTerm { marginal, sampled };

/// Hidden layers of one net.
struct NetConfig {
  std::vector<int64_t> hidden{500};
  kernels::Activation activation = kernels::activation(kernels::Map::softplus);
  bool batch_norm = true;           ///< in all hidden layers but the first
  bool batch_norm_to_input = true;  ///< in the first
  double dropout = 0;               ///< ratio after each hidden layer but the merging one
};

/// What all nets of a model share.
struct CommonConfig {
  LikelihoodKind decoder = LikelihoodKind::bernoulli;
  int64_t x_size = 784;
  bool batch_norm_before_activation = true;  ///< f(BN(W x + b)), else f(W BN(x) + b)
  nn::BatchNormOptions batch_norm{.eps = 1e-5,
                                  .momentum = 0.1,
                                  .running_var_includes_eps = true,
                                  .eval_adds_eps = false,
                                  .initial_running_var = 0};
  double weight_scale = 0.1;  ///< weights start as N(0, (weight_scale / sqrt(fan_in))^2)
  ZTerm p_z = ZTerm::marginal, q_z = ZTerm::marginal;
};

struct M1Config : CommonConfig {
  int64_t z_size = 2;
  int64_t samples = 1;  ///< draws of z per image
  NetConfig encoder{.hidden = {600, 600}}, decoder_net{.hidden = {600, 600}};
};

struct M2Config : CommonConfig {
  int64_t y_size = 10, z_size = 50;
  ZTerms z_terms = ZTerms::kl;
  NetConfig encoder_xy_z, encoder_x_y, decoder_net;
};

/// log variance of M2's Gaussian likelihoods is limited to [log 0.001, log 10].
inline constexpr nn::LogVarRange kM2LogVar{-6.907755278982137, 2.302585092994046};

/// Adam of the reference: Chainer's form, rate 3e-4. M1 is not clipped, M2 by norm 5 per sub-net.
inline nn::Adam::Settings reference_adam(double clip) {
  return {.learning_rate = 3e-4, .rule = {.form = kernels::AdamForm::chainer}, .clip = clip};
}

}  // namespace vae::m1_m2
