#pragma once
// M1: the unsupervised VAE q(z|x) p(x|z).
#include "models/m1_m2/nets.h"
#include "nn/train/step.h"

namespace vae::m1_m2 {

/// The bound of rows x under samples z of q: log p(x|z) - KL(q||p), or log p(x|z) + log p(z) - log q(z) with
/// the explicit terms of a configuration; nats per row. A sampled log q(z) limits the log variance, the
/// sample itself does not (a biased bound, kept as published). Notes: logits (or x_mean, x_log_var), log_px
/// and the terms, with a suffix. `constant` is added.
Var bound(const Var& x, const Gaussian& q, const Var& z, const Likelihood& p, const CommonConfig& config,
          ZTerms terms, nn::LogVarRange range, const train::Step& step, const std::string& suffix,
          double constant = 0);

class M1 : public nn::Module {
 public:
  M1(const M1Config& config, nn::Options options);

  Gaussian encode(const Var& x) const { return encoder_(x); }
  Likelihood decode(const Var& z) const { return decoder_(z); }
  /// Mean over the rows x [B, x_size] and the draws (noise "eps") of the negative bound, nats. With a
  /// Bernoulli decoder the KL is closed; with a Gaussian one the terms are explicit.
  Var loss(const Tensor& x, train::Share batch, const train::Step& step) const;

  const M1Config& config() const { return config_; }
  nn::Module& encoder() { return encoder_; }
  nn::Module& decoder() { return decoder_; }

 private:
  M1Config config_;
  GaussianNet encoder_;
  LikelihoodNet decoder_;
};

}  // namespace vae::m1_m2
