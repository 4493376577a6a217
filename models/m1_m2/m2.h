#pragma once
// M2: the semi-supervised VAE with a class: q(y|x), q(z|x,y), p(x|y,z). Unlabelled images sum over all
// classes.
#include "models/m1_m2/m1.h"

namespace vae::models {

/// A bound with everything that went into it; the golden tests look inside.
struct M2Bound {
  Gaussian q;
  Terms terms;
  Var bound;  ///< nats: [B] labelled, [B, K] with all classes
};

class M2 : public nn::Module {
 public:
  M2(const M2Config& config, nn::Options options);

  /// Logits of q(y|x) [B, K].
  Var classify(const Var& x) const { return encoder_x_y_(x); }
  Gaussian encode(const Var& x, const Var& y) const { return encoder_xy_z_(x, y); }
  Decoded decode(const Var& z, const Var& y) const;
  /// p(x|y,z) for every class: rows k * B + b for z[b].
  Decoded decode_all_classes(const Var& z) const;

  /// log p(x,y) >= bound of rows x with one-hot classes y, under noise eps [B, z_size].
  M2Bound labeled_bound(const Var& x, const Var& y, const Tensor& eps) const;
  /// The bound of every row under every class; eps is [K * B, z_size], class by class. Work that depends on x
  /// alone is done once per row, not once per class.
  M2Bound all_classes_bound(const Var& x, const Tensor& eps) const;
  /// Mean of -sum_n q_n (bound_n - log(q_n + 1e-6)) over the rows, nats.
  Var unlabeled_loss(const Var& q, const Var& bound) const;

  const M2Config& config() const { return config_; }
  /// What identifies the model in a checkpoint.
  nlohmann::json meta() const;
  nn::Module& encoder_xy_z() { return encoder_xy_z_; }
  nn::Module& encoder_x_y() { return encoder_x_y_; }
  nn::Module& decoder();

 private:
  Terms terms(const Var& x, const Gaussian& q, const Var& z, Decoded decoded) const;
  M2Config config_;
  MergeGaussianNet encoder_xy_z_;
  LogitsNet encoder_x_y_;
  std::unique_ptr<MergeLogitsNet> logits_decoder_;
  std::unique_ptr<MergeGaussianNet> gaussian_decoder_;
};

}  // namespace vae::models
