#pragma once
// The VAE (Kingma & Welling), optionally with planar flows behind its posterior (Rezende & Mohamed,
// arXiv:1505.05770); and the Gumbel-softmax VAE (Jang et al., Maddison et al., 2016).
#include "models/adgm/model.h"

namespace vae::adgm {

class Vae : public Model {
 public:
  Vae(const Config& config, nn::Options options);
  std::unique_ptr<Encoded> encode(const Var& x, train::Share images) const override;
  Var decode(const Var& z, const Rows& rows, const Step&) const override { return decoder_(z, rows); }
  bool has_importance_weights() const override { return config_.flows == 0 || config_.fixed_flow; }
  Gaussian posterior(const Var& x) const { return encoder_(x); }

 private:
  class Inside;
  /// f(z) = z + u^ tanh(w z + b); starts with u, w ~ N(0, 1) and b = 1.
  struct Flow : nn::Module {
    Flow(Module* parent, const std::string& name, int64_t width);
    Var u, w, b;
  };
  Encoder encoder_;
  Decoder decoder_;
  std::vector<std::unique_ptr<Flow>> flows_;
};

/// The kl is that of the relaxed classes' distribution from the uniform one, in closed form.
class GumbelVae : public Model {
 public:
  GumbelVae(const Config& config, nn::Options options);
  std::unique_ptr<Encoded> encode(const Var& x, train::Share images) const override;
  Var decode(const Var& z, const Rows& rows, const Step&) const override { return decoder_(z, rows); }
  bool has_importance_weights() const override { return false; }

 private:
  class Inside;
  Hidden encoder_;
  nn::Linear logits_;
  Decoder decoder_;
};

}  // namespace vae::adgm
