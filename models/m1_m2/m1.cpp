#include "models/m1_m2/m1.h"

#include "models/m1_m2/terms.h"
#include "nn/init.h"

namespace vae::models {

M1::M1(const M1Config& config, nn::Options options)
    : config_(config), encoder_(config.x_size, config.z_size, config.encoder, config, options) {
  add_child("encoder", encoder_);
  if (config.decoder == Likelihood::bernoulli)
    logits_decoder_ =
        std::make_unique<LogitsNet>(config.z_size, config.x_size, true, config.decoder_net, config, options);
  else
    gaussian_decoder_ =
        std::make_unique<GaussianNet>(config.z_size, config.x_size, config.decoder_net, config, options);
  add_child("decoder", decoder());
  nn::init_normal_fan_in(*this, config.weight_scale, options.seed);
}

nn::Module& M1::decoder() {
  if (logits_decoder_) return *logits_decoder_;
  return *gaussian_decoder_;
}

Decoded M1::decode(const Var& z) const {
  if (logits_decoder_) return (*logits_decoder_)(z);
  return (*gaussian_decoder_)(z);
}

Terms M1::terms(const Var& x, const Gaussian& q, const Tensor& eps) const {
  Terms terms;
  terms.z = autograd::reparameterize(q.mean, q.log_var, Var(eps));
  terms.x = decode(terms.z);
  terms.log_px = log_likelihood(x, terms.x, LogVarRange{});
  if (logits_decoder_) {
    terms.kl = autograd::kl_standard_normal(q.mean, q.log_var);
  } else {
    terms.log_pz = log_prior(config_.p_z, q, terms.z);
    terms.log_qz = log_posterior(config_.q_z, q, terms.z, LogVarRange{});
  }
  return terms;
}

Var M1::loss(const Var& x, const Tensor& eps, M1Trace* trace) const {
  VAE_CHECK(eps.rank() == 3 && eps.size(0) > 0, "M1: noise {} is not [samples, rows, z]", eps.str());
  const Gaussian q = encode(x);
  if (trace) trace->q = q;
  Var total;
  for (int64_t l = 0; l < eps.size(0); ++l) {
    const Terms draw = terms(x, q, eps.slice(l, l + 1).reshape({eps.size(1), eps.size(2)}));
    const Var draw_bound = bound(draw);
    total = total.defined() ? total + draw_bound : draw_bound;
    if (trace) trace->draws.push_back(draw);
  }
  return autograd::sum(total, -1.0 / static_cast<double>(eps.size(0) * eps.size(1)));
}

nlohmann::json M1::meta() const {
  return {{"model", "m1"},
          {"decoder", config_.decoder == Likelihood::bernoulli ? "bernoulli" : "gaussian"},
          {"x_size", config_.x_size},
          {"z_size", config_.z_size}};
}

Tensor expectation(const Decoded& x) {
  if (const Var* logits = std::get_if<Var>(&x)) return autograd::sigmoid(*logits).value();
  return std::get<Gaussian>(x).mean.value();
}

}  // namespace vae::models
