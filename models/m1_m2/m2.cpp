#include "models/m1_m2/m2.h"

#include <cmath>

#include "models/m1_m2/terms.h"
#include "nn/init.h"

namespace vae::models {

M2::M2(const M2Config& config, nn::Options options)
    : config_(config),
      encoder_xy_z_(config.x_size, config.y_size, config.z_size, config.encoder_xy_z, config, options),
      encoder_x_y_(config.x_size, config.y_size, false, config.encoder_x_y, config, options) {
  if (config.y_size < 1 || config.z_size < 1 || config.x_size < 1)
    fail(ErrorKind::usage, "M2 with {} inputs, {} classes and {} latent variables", config.x_size,
         config.y_size, config.z_size);
  add_child("encoder_xy_z", encoder_xy_z_);
  add_child("encoder_x_y", encoder_x_y_);
  if (config.decoder == Likelihood::bernoulli)
    logits_decoder_ = std::make_unique<MergeLogitsNet>(config.z_size, config.y_size, config.x_size,
                                                       config.decoder_net, config, options);
  else
    gaussian_decoder_ = std::make_unique<MergeGaussianNet>(config.z_size, config.y_size, config.x_size,
                                                           config.decoder_net, config, options);
  add_child("decoder", decoder());
  nn::init_normal_fan_in(*this, config.weight_scale, options.seed);
}

nn::Module& M2::decoder() {
  if (logits_decoder_) return *logits_decoder_;
  return *gaussian_decoder_;
}

Decoded M2::decode(const Var& z, const Var& y) const {
  if (logits_decoder_) return (*logits_decoder_)(z, y);
  return (*gaussian_decoder_)(z, y);
}

Decoded M2::decode_all_classes(const Var& z) const {
  if (logits_decoder_) return logits_decoder_->all_classes(z, true);
  return gaussian_decoder_->all_classes(z, true);
}

Terms M2::terms(const Var& x, const Gaussian& q, const Var& z, Decoded decoded) const {
  const LogVarRange range{kM2LogVarLow, kM2LogVarHigh};
  Terms terms;
  terms.z = z;
  terms.x = std::move(decoded);
  terms.log_px = log_likelihood(x, terms.x, range);
  if (config_.z_terms == ZTerms::kl) {
    terms.kl = autograd::kl_standard_normal(q.mean, q.log_var);
  } else {
    terms.log_pz = log_prior(config_.p_z, q, z);
    terms.log_qz = log_posterior(config_.q_z, q, z, range);
  }
  return terms;
}

M2Bound M2::labeled_bound(const Var& x, const Var& y, const Tensor& eps) const {
  M2Bound result;
  result.q = encode(x, y);
  const Var z = autograd::reparameterize(result.q.mean, result.q.log_var, Var(eps));
  result.terms = terms(x, result.q, z, decode(z, y));
  result.bound = bound(result.terms) + std::log(1.0 / static_cast<double>(config_.y_size));
  return result;
}

M2Bound M2::all_classes_bound(const Var& x, const Tensor& eps) const {
  M2Bound result;
  result.q = encoder_xy_z_.all_classes(x, true);
  const Var z = autograd::reparameterize(result.q.mean, result.q.log_var, Var(eps));
  Decoded decoded;
  if (logits_decoder_)
    decoded = logits_decoder_->all_classes(z, false);
  else
    decoded = gaussian_decoder_->all_classes(z, false);
  result.terms = terms(x, result.q, z, std::move(decoded));
  const Var per_row = bound(result.terms) + std::log(1.0 / static_cast<double>(config_.y_size));
  const int64_t rows = x.value().numel() / config_.x_size;
  result.bound = autograd::transpose(autograd::reshape(per_row, {config_.y_size, rows}));
  return result;
}

Var M2::unlabeled_loss(const Var& q, const Var& bound) const {
  return -autograd::mean(autograd::weighted_bound(q, bound, 1e-6));
}

nlohmann::json M2::meta() const {
  return {{"model", "m2"},
          {"decoder", config_.decoder == Likelihood::bernoulli ? "bernoulli" : "gaussian"},
          {"x_size", config_.x_size},
          {"y_size", config_.y_size},
          {"z_size", config_.z_size}};
}

}  // namespace vae::models
