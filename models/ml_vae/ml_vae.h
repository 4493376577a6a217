#pragma once
// The multi-level VAE: a style code per image and a class code per group of images (Bouchacourt, Tomioka,
// Nowozin, AAAI 2018, arXiv:1705.08841). Parameters are named as in the public PyTorch implementation whose
// results the preset `reference` reproduces (docs/ml_vae.md).
#include "models/ml_vae/evidence.h"
#include "nn/layers.h"

namespace vae::models {

/// Whether losses reach the encoder through the class code. The reference detaches the class statistics, so
/// that its class heads stay random.
enum class ClassGradient { detached, attached };
/// How often the KL divergence of a group's class code counts.
enum class ClassKlCount { per_member, per_group };
/// Draws of the class code: one per group, or one per image.
enum class ClassNoise { per_group, per_image };
/// What the summed losses are divided by: images times pixels, or the groups in the batch.
enum class LossDivisor { pixels, groups };

struct MlVaeConfig {
  int64_t x_size = 784, hidden = 500, style_dim = 10, class_dim = 10;
  ClassGradient class_gradient = ClassGradient::detached;
  ClassKlCount class_kl_count = ClassKlCount::per_member;
  ClassNoise class_noise = ClassNoise::per_group;
  LossDivisor divisor = LossDivisor::pixels;
  double noise_std = 0.1;  ///< of the noise of the class code; the KL divergence always assumes 1
  double reconstruction_coef = 1, kl_coef = 1;
};

/// What the encoder says about each image.
struct MlVaeCodes {
  Gaussian style, class_code;
};

/// x [B, x_size] -> four linear heads on one hidden layer.
class MlVaeEncoder : public nn::Module {
 public:
  MlVaeEncoder(const MlVaeConfig& config, nn::Options options);
  MlVaeCodes operator()(const Var& x) const;

 private:
  nn::Linear hidden_, style_mean_, style_log_var_, class_mean_, class_log_var_;
};

/// Codes [B, style_dim + class_dim], style first -> logits of the pixels [B, x_size].
class MlVaeDecoder : public nn::Module {
 public:
  MlVaeDecoder(const MlVaeConfig& config, nn::Options options);
  Var operator()(const Var& codes) const;

 private:
  nn::Linear hidden_, out_;
};

/// Noise of a batch, the class noise already multiplied by noise_std.
struct MlVaeNoise {
  Tensor style;       ///< [B, style_dim]
  Tensor class_code;  ///< [groups, class_dim], or [B, class_dim] with ClassNoise::per_image
};

/// Terms of the objective with their coefficients and divisors: numbers. In detached mode class_kl has no
/// gradient.
struct MlVaeLosses {
  Var reconstruction, style_kl, class_kl, total;
};

/// What the losses were made of; the golden tests look inside.
struct MlVaeTrace {
  MlVaeCodes codes;
  Gaussian group;  ///< [groups, class_dim]
  Var style_z, class_z, logits;
};

class MlVae : public nn::Module {
 public:
  MlVae(const MlVaeConfig& config, nn::Options options);

  MlVaeCodes encode(const Var& x) const { return encoder_(x); }
  /// Logits of the pixels [B, x_size].
  Var decode(const Var& style, const Var& class_code) const;

  /// Squared error, KL divergence of the styles and KL divergence of the groups' class codes.
  MlVaeLosses loss(const Var& x, const Groups& groups, const MlVaeNoise& noise,
                   MlVaeTrace* trace = nullptr) const;
  /// The same from given posteriors: styles [B, style_dim], class codes of the groups [groups, class_dim].
  MlVaeLosses loss(const Var& x, const Gaussian& style, const Gaussian& group, const Groups& groups,
                   const MlVaeNoise& noise, MlVaeTrace* trace = nullptr) const;

  const MlVaeConfig& config() const { return config_; }
  /// What identifies the model in a checkpoint.
  nlohmann::json meta() const;

 private:
  MlVaeConfig config_;
  MlVaeEncoder encoder_;
  MlVaeDecoder decoder_;
};

}  // namespace vae::models
