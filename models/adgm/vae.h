#pragma once
// The VAE (Kingma & Welling), optionally with planar flows behind its posterior (Rezende & Mohamed,
// arXiv:1505.05770); and the Gumbel-softmax VAE (Jang et al., Maddison et al., 2016).
#include "models/adgm/model.h"

namespace vae::models::adgm {

class Vae : public Model {
 public:
  Vae(const Config& config, nn::Options options);
  ~Vae() override;
  std::unique_ptr<Images> look_at(const Var& x) const override;
  Var decode(const Var& z, const Rows& rows, const Pass& pass) const override;
  Gaussian posterior(const Var& x) const { return encoder_(x); }

 private:
  class Look;
  class Flow;
  Encoder encoder_;
  Decoder decoder_;
  std::vector<std::unique_ptr<Flow>> flows_;
};

/// Temperature and one-hot limits: kl is that of the relaxed classes' distribution from the uniform one, in
/// closed form.
class GumbelVae : public Model {
 public:
  GumbelVae(const Config& config, nn::Options options);
  std::unique_ptr<Images> look_at(const Var& x) const override;
  Var decode(const Var& z, const Rows& rows, const Pass& pass) const override;
  /// The temperature, one number on the device.
  const Tensor& temperature() const { return temperature_; }

 private:
  class Look;
  Hidden encoder_;
  nn::Linear logits_;
  Decoder decoder_;
  Tensor temperature_;
};

}  // namespace vae::models::adgm
