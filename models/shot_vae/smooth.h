#pragma once
// The small nets of smooth-ELBO learning (Feng et al., arXiv:2011.10684): a convolutional VAE with a Gaussian
// code z and a class y, after JointVAE (Dupont, arXiv:1804.00104).
#include "nn/distributions.h"
#include "nn/image_layers.h"
#include "nn/train/step.h"

namespace vae::shot_vae {

using autograd::Var;

struct SmoothConfig {
  int64_t side = 32, channels = 1;
  std::vector<int64_t> conv{32, 64, 64};  ///< maps of the encoder, each of half the side of the one before
  std::vector<int64_t> deconv{32, 32};    ///< maps of the decoder before the image
  int64_t hidden = 256;                   ///< units between maps and codes
  int64_t z_size = 10, classes = 10;
  double temperature = 0.67;  ///< of the relaxed draw of y
};

/// A target that a divergence is held to: it rises from `min` to `max` nats in so many updates (one that
/// begins above `max` is `max`), and a nat of difference costs `gamma`.
struct Capacity {
  double min = 0, max = 0;
  int64_t updates = 1;
  double gamma = 1;
};

struct SmoothObjective {
  Capacity z{0, 17.5, 25000, 30}, y{0, 17, 25000, 30};
  double alpha = 50;  ///< weight of the classification of labelled images
};

class Smooth : public nn::Module {
 public:
  /// Throws Error(usage) for an image that the maps do not divide.
  Smooth(const SmoothConfig& config, nn::Options options);

  struct Code {
    nn::Gaussian z;
    Var alpha;  ///< q(y|x), [n, classes]
  };
  /// Of images [n, h, w, c], or as rows, with values in [-1, 1].
  Code encode(const Var& x) const;
  /// Images [n, h, w, c] in [-1, 1] of rows (z, y) [n, z_size + classes].
  Var decode(const Var& latent) const;

  /// Of images [n, h, w, c]: squared error + gamma |C_z - KL_z| + gamma |C_y - KL_y|, means over the batch,
  /// where y is a relaxed draw. With labels (one-hot rows) y is the label, and alpha times the mean binary
  /// cross-entropy of q(y|x) is added. `set` ends the names of noise and notes: "eps_u", "recon_loss_u".
  Var loss(const Var& x, const Var& labels, const SmoothObjective& objective, train::Share batch,
           const std::string& set, const train::Step& step) const;

  const SmoothConfig& config() const { return config_; }

 private:
  SmoothConfig config_;
  int64_t code_side_;
  std::vector<std::unique_ptr<nn::Conv2d>> convolutions_;
  nn::Linear features_;
  nn::Linear mean_, log_var_, alpha_;
  nn::Linear hidden_, maps_;
  std::vector<std::unique_ptr<nn::ConvTranspose2d>> deconvolutions_;
};

}  // namespace vae::shot_vae
