#pragma once
// A VAE with a Gaussian code z and a class y on a deep backbone, and its losses: SHOT-VAE (Feng et al.,
// arXiv:2011.10684), and the plain semi-supervised bound that the paper calls M2.
#include "models/backbones/backbone.h"
#include "models/shot_vae/objective.h"
#include "nn/image_layers.h"

namespace vae::shot_vae {

struct Config {
  backbones::Config backbone;
  int64_t z_size = 128, classes = 10;
  int64_t decoder_width = 64;  ///< maps of the decoder's last hidden layer
  int64_t side = 32;           ///< of the images, a multiple of 32
  double temperature = 0.67;   ///< of the relaxed draw of y
};

/// q(z|x) = N(mean, e^log_var), log_var = 2 log_sigma, and q(y|x) = e^log_alpha.
struct Posterior {
  Var mean, log_sigma, log_var, log_alpha;
  Var alpha() const { return autograd::exp(log_alpha); }
  Var sigma() const { return autograd::exp(log_sigma); }
  /// The same numbers, without gradient.
  Posterior constant() const;
};

/// Images [n, h, w, c] in [0, 1] and their labels (i64 [n]), which unlabelled ones lack or have for the log
/// alone. They are a whole batch unless a share of one is named.
struct Images {
  Var x;
  Tensor labels;
  train::Share share{};
  train::Share batch() const { return share.total > 0 ? share : train::Share(x.shape()[0]); }
};

/// How a batch is mixed with itself: row i becomes lambda x_i + (1 - lambda) x_j, j = partner[i] (Zhang et
/// al., arXiv:1710.09412).
struct Mixing {
  Var lambda;      ///< one number
  Tensor partner;  ///< i64 [n], rows of the whole batch; of unlabelled images undefined: the image whose code
                   ///< is nearest
};

/// Losses to be differentiated one after the other, whose gradients add up.
using Losses = std::vector<std::function<Var()>>;

class ShotVae : public nn::Module {
 public:
  /// Throws Error(usage) for sizes that make no net.
  ShotVae(const Config& config, nn::Options options);

  /// Noise of dropout "SCOPE/drop_N".
  Posterior encode(const Var& x, train::Share batch, const train::Step& step) const;
  /// Logits [n, h, w, c] of images.
  Var decode(const Var& z, const Var& y) const;
  /// A draw of z, noise "eps_PASS"; and a relaxed one of y, noise "unif_PASS".
  Var draw_z(const Posterior& q, const std::string& pass, train::Share batch, const train::Step& step) const;
  Var draw_y(const Posterior& q, const std::string& pass, train::Share batch, const train::Step& step) const;

  /// Of a labelled and an unlabelled batch: the bound of both, the classification and the codes of both as
  /// they are mixed. Passes l1, l2, u1, u2; notes as the published code's names (tests/golden).
  /// `decode_mixed`: mixed images are decoded, too, which only the statistics of the decoder's norms see.
  Losses shot_losses(const Images& labeled, const Mixing& of_labeled, const Images& unlabeled,
                     const Mixing& of_unlabeled, const Objective& objective, const Terms& terms,
                     bool decode_mixed, const train::Step& step) const;
  /// The bound of both and the classification of the labelled ones.
  Losses m2_losses(const Images& labeled, const Images& unlabeled, const Objective& objective,
                   const Terms& terms, const train::Step& step) const;

  const Config& config() const { return config_; }

 private:
  struct Bound;
  Bound bound(const Images& images, const Var& y, const std::string& pass, const Objective& objective,
              const Terms& terms, const train::Step& step) const;
  Posterior mixed_pass(const Var& x, train::Share batch, const Var& y, const std::string& pass,
                       bool decode_mixed, const train::Step& step) const;

  Config config_;
  std::unique_ptr<backbones::Backbone> backbone_;
  nn::Linear mean_, log_sigma_, log_alpha_;
  std::vector<std::unique_ptr<nn::ConvTranspose2d>> deconvolutions_;
  std::vector<std::unique_ptr<nn::BatchNorm>> norms_;
};

/// KL(q(z|x) || N(0, I)) and KL(q(y|x) || uniform) per row, nats.
Var kl_z(const Posterior& q);
Var kl_y(const Posterior& q);
/// Sums over the pixels of each image, [n].
Var reconstruction_error(const Var& logits, const Var& x, const Objective& objective);
/// sum q(y|x) (log q(y|x) - log p), per row, p being 0.999 at the label and 0.001 / (K - 1) elsewhere: what
/// is left to learn about the labels of unlabelled images.
Var kl_inference(const Posterior& q, const Tensor& labels);

}  // namespace vae::shot_vae
