#pragma once
// M1: the unsupervised VAE q(z|x) p(x|z).
#include <variant>

#include "models/m1_m2/nets.h"

namespace vae::models {

/// A decoder's output: logits of a Bernoulli, or a Gaussian.
using Decoded = std::variant<Var, Gaussian>;

/// Terms of the bound of one draw of z, nats per row. Undefined where the configuration does not use them.
struct Terms {
  Var z;
  Decoded x;
  Var log_px, kl, log_pz, log_qz;
};

/// What a loss was made of; the golden tests look inside.
struct M1Trace {
  Gaussian q;
  std::vector<Terms> draws;
};

class M1 : public nn::Module {
 public:
  M1(const M1Config& config, nn::Options options);

  Gaussian encode(const Var& x) const { return encoder_(x); }
  Decoded decode(const Var& z) const;
  /// The terms for x under one draw of noise eps [B, z_size]. With a Bernoulli decoder the KL is closed; with
  /// a Gaussian one the explicit terms of the configuration are used.
  Terms terms(const Var& x, const Gaussian& q, const Tensor& eps) const;
  /// Mean over the rows and the draws of the negative bound, nats. eps is [samples, B, z_size].
  Var loss(const Var& x, const Tensor& eps, M1Trace* trace = nullptr) const;

  const M1Config& config() const { return config_; }
  /// What identifies the model in a checkpoint.
  nlohmann::json meta() const;
  nn::Module& encoder() { return encoder_; }
  nn::Module& decoder();

 private:
  M1Config config_;
  GaussianNet encoder_;
  std::unique_ptr<LogitsNet> logits_decoder_;
  std::unique_ptr<GaussianNet> gaussian_decoder_;
};

/// Probabilities of a Bernoulli, mean of a Gaussian.
Tensor expectation(const Decoded& x);

}  // namespace vae::models
