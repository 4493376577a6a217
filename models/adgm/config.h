#pragma once
// Configuration of the models of this family: Maaloe, Sonderby, Sonderby, Winther, "Auxiliary deep generative
// models", ICML 2016, arXiv:1602.05473, and its relatives. The defaults behave as the public PyTorch library
// whose numbers are often quoted does (docs/adgm.md); the switches correct it.
#include <array>
#include <string>
#include <vector>

#include "nn/distributions.h"

namespace vae::adgm {

using autograd::Var;
using nn::Gaussian;

enum class Kind { adgm, sdgm, m2, stacked, ladder_m2, vae, ladder, gumbel };

/// "adgm", "sdgm", "m2", "stacked", "ladder-m2", "vae", "ladder", "gumbel".
std::string name_of(Kind kind);
/// Whether the model has labels: q(y|x) and a bound over all classes.
bool has_labels(Kind kind);

/// Initial weights: N(0, 2 / (in + out)) with zero biases, or weights and biases U(-1/sqrt(in), 1/sqrt(in)).
enum class Init { glorot_normal, uniform_fan_in };

struct Config {
  Kind kind = Kind::adgm;
  int64_t x_size = 784, y_size = 10;
  std::vector<int64_t> z{32};  ///< width of the latent variable; of all layers, bottom to top, in ladders; of
                               ///< the relaxed class in the Gumbel VAE
  int64_t a = 32;              ///< width of the auxiliary variable
  std::vector<int64_t> hidden{256, 128};
  std::vector<int64_t> classifier_hidden{};  ///< empty: one layer of hidden[0]
  std::vector<int64_t> conv_channels{};      ///< two: M2 with a convolutional classifier
  std::vector<int64_t> decoder_hidden{};     ///< empty: `hidden` reversed
  kernels::Activation decoder_activation = kernels::kRelu;
  int64_t features_z = 0;  ///< of the frozen VAE below the stacked M2
  std::vector<int64_t> features_hidden{};
  int64_t flows = 0;   ///< planar flows behind the VAE's posterior
  int64_t draws = 10;  ///< relaxed samples per image in the Gumbel VAE
  kernels::Schedule temperature = kernels::Schedule::constant(1);  ///< of their distribution
  double eps = 1e-8;  ///< inside logarithms of probabilities; 0: exact forms through logits
  Init init = Init::uniform_fan_in;
  bool raw_log_var =
      false;  ///< log variances as linear maps give them; else softplus of that, so variances above one
  bool share_a = false;       ///< one draw of a per image for all classes and for q(y|a,x)
  bool fixed_flow = false;    ///< log-determinants per row, and the decoder sees the flowed z
  bool fixed_ladder = false;  ///< the posterior's sample goes down the ladder, not the prior's
  bool fixed_gumbel = false;  ///< softmax over the classes, not over the draws

  /// Throws Error(usage) for sizes that make no model.
  void check() const;
  /// Units of the hidden layers of decoders and classifiers: as given, else their defaults.
  std::vector<int64_t> decoder_units() const;
  std::vector<int64_t> classifier_units() const;
};

}  // namespace vae::adgm
