#pragma once
// The multi-level VAE: a style code per image and a class code per group of images (Bouchacourt, Tomioka,
// Nowozin, AAAI 2018, arXiv:1705.08841). Parameters are named as in the public PyTorch implementation whose
// results the preset `reference` reproduces (docs/ml_vae.md).
#include "models/ml_vae/evidence.h"
#include "nn/train/step.h"

namespace vae::ml_vae {

inline constexpr double kWeightDeviation = 0.05;  ///< of initial weights, in all nets of the family

/// Whether losses reach the encoder through the class code. The reference detaches the class statistics, so
/// that its class heads stay random.
enum class ClassGradient { detached, attached };
/// How often the KL divergence of a group's class code counts.
enum class ClassKlCount { per_member, per_group };
/// Draws of the class code: one per group, or one per image.
enum class ClassNoise { per_group, per_image };
/// What the summed losses are divided by: images times pixels, or the groups in the batch.
enum class LossDivisor { pixels, groups };

struct Config {
  int64_t x_size = 784, hidden = 500, style_dim = 10, class_dim = 10;
  ClassGradient class_gradient = ClassGradient::detached;
  ClassKlCount class_kl_count = ClassKlCount::per_member;
  ClassNoise class_noise = ClassNoise::per_group;
  LossDivisor divisor = LossDivisor::pixels;
  double noise_std = 0.1;  ///< of the noise of the class code; the KL divergence always assumes 1
  double reconstruction_coef = 1, kl_coef = 1;
};

/// What the encoder says about each image.
struct Codes {
  Gaussian style, class_code;
};

/// Noise of a batch, the class noise already multiplied by noise_std.
struct Noise {
  Var style;       ///< [B, style_dim]
  Var class_code;  ///< [groups, class_dim], or [B, class_dim] with ClassNoise::per_image
};

/// Terms of the objective with their coefficients and divisors: numbers. In detached mode class_kl has no
/// gradient.
struct Losses {
  Var reconstruction, style_kl, class_kl, total;
};

/// x [B, x_size] -> four linear heads on one hidden layer.
class Encoder : public nn::Module {
 public:
  Encoder(Module* parent, const std::string& name, const Config& c);
  Codes operator()(const Var& x) const;

 private:
  nn::Linear hidden_;
  nn::GaussianHead style_, class_;
};

/// Codes [B, style_dim + class_dim], style first -> logits of the pixels [B, x_size].
class Decoder : public nn::Module {
 public:
  Decoder(Module* parent, const std::string& name, const Config& c);
  Var operator()(const Var& codes) const { return out_(autograd::tanh(hidden_(codes))); }

 private:
  nn::Linear hidden_, out_;
};

class MlVae : public nn::Module {
 public:
  /// Throws Error(usage) for sizes that make no model.
  MlVae(const Config& config, nn::Options options);

  Codes encode(const Var& x) const { return encoder_(x); }
  /// Logits of the pixels [B, x_size].
  Var decode(const Var& style, const Var& class_code) const;

  /// Noise of an iteration: "style" and "class".
  Noise draw_noise(train::Share images, int64_t groups, const train::Step& step) const;
  /// Squared error, KL divergence of the styles and KL divergence of the groups' class codes.
  Losses loss(const Var& x, train::Share images, const Groups& groups, const Noise& noise,
              const train::Step& step) const;
  /// The same from given posteriors: styles [B, style_dim], class codes of the groups [groups, class_dim].
  Losses loss(const Var& x, train::Share images, const Gaussian& style, const Gaussian& group,
              const Groups& groups, const Noise& noise, const train::Step& step) const;

  const Config& config() const { return config_; }

 private:
  Config config_;
  Encoder encoder_;
  Decoder decoder_;
};

}  // namespace vae::ml_vae
