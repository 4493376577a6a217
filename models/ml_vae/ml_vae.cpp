#include "models/ml_vae/ml_vae.h"

#include "autograd/ops_losses.h"
#include "nn/init.h"

namespace vae::models {
namespace {

constexpr double kWeightDeviation = 0.05;

const MlVaeConfig& checked(const MlVaeConfig& c) {
  if (c.x_size < 1 || c.hidden < 1 || c.style_dim < 1 || c.class_dim < 1)
    fail(ErrorKind::usage, "ML-VAE with {} pixels, {} hidden units, codes of {} and {} variables", c.x_size,
         c.hidden, c.style_dim, c.class_dim);
  return c;
}

Gaussian constant(const Gaussian& g) { return {Var(g.mean.value()), Var(g.log_var.value())}; }

}  // namespace

MlVaeEncoder::MlVaeEncoder(const MlVaeConfig& c, nn::Options options)
    : hidden_(c.x_size, c.hidden, options),
      style_mean_(c.hidden, c.style_dim, options),
      style_log_var_(c.hidden, c.style_dim, options),
      class_mean_(c.hidden, c.class_dim, options),
      class_log_var_(c.hidden, c.class_dim, options) {
  add_child("linear_model.linear_1", hidden_);
  add_child("style_mu", style_mean_);
  add_child("style_logvar", style_log_var_);
  add_child("class_mu", class_mean_);
  add_child("class_logvar", class_log_var_);
}

MlVaeCodes MlVaeEncoder::operator()(const Var& x) const {
  const Var h = autograd::tanh(hidden_(x));
  return {.style = {style_mean_(h), style_log_var_(h)}, .class_code = {class_mean_(h), class_log_var_(h)}};
}

MlVaeDecoder::MlVaeDecoder(const MlVaeConfig& c, nn::Options options)
    : hidden_(c.style_dim + c.class_dim, c.hidden, options), out_(c.hidden, c.x_size, options) {
  add_child("linear_model.linear_1", hidden_);
  add_child("linear_model.linear_2", out_);
}

Var MlVaeDecoder::operator()(const Var& codes) const { return out_(autograd::tanh(hidden_(codes))); }

MlVae::MlVae(const MlVaeConfig& config, nn::Options options)
    : config_(checked(config)), encoder_(config, options), decoder_(config, options) {
  add_child("encoder", encoder_);
  add_child("decoder", decoder_);
  nn::init_normal(*this, kWeightDeviation, options.seed);
}

Var MlVae::decode(const Var& style, const Var& class_code) const {
  return decoder_(autograd::concat({style, class_code}));
}

MlVaeLosses MlVae::loss(const Var& x, const Groups& groups, const MlVaeNoise& noise,
                        MlVaeTrace* trace) const {
  MlVaeCodes codes = encode(x);
  if (config_.class_gradient == ClassGradient::detached) codes.class_code = constant(codes.class_code);
  if (trace) trace->codes = codes;
  return loss(x, codes.style, accumulate_evidence(codes.class_code, groups), groups, noise, trace);
}

MlVaeLosses MlVae::loss(const Var& x, const Gaussian& style, const Gaussian& group, const Groups& groups,
                        const MlVaeNoise& noise, MlVaeTrace* trace) const {
  const Var style_z = autograd::reparameterize(style.mean, style.log_var, Var(noise.style));
  const auto draw = [&](const Gaussian& g) {
    return autograd::reparameterize(g.mean, g.log_var, Var(noise.class_code));
  };
  const Var class_z = config_.class_noise == ClassNoise::per_group
                          ? autograd::gather_rows(draw(group), groups.of_image)
                          : draw(of_members(group, groups));
  const Var logits = decode(style_z, class_z);
  if (trace) trace->group = group, trace->style_z = style_z, trace->class_z = class_z, trace->logits = logits;

  const bool by_pixels = config_.divisor == LossDivisor::pixels;
  const double scale = by_pixels ? 1.0 / static_cast<double>(x.value().numel()) : 1.0;
  Var group_kl = autograd::kl_standard_normal(group.mean, group.log_var);  // 0 for a group without images
  if (config_.class_kl_count == ClassKlCount::per_member) group_kl = group_kl * Var(groups.size);
  const Var style_kl = autograd::kl_standard_normal(style.mean, style.log_var);
  MlVaeLosses losses{.reconstruction = autograd::sum(autograd::sigmoid_squared_error(logits, x),
                                                     scale * config_.reconstruction_coef),
                     .style_kl = autograd::sum(style_kl, scale * config_.kl_coef),
                     .class_kl = autograd::sum(group_kl, scale * config_.kl_coef),
                     .total = {}};
  if (!by_pixels) {
    const Var present = autograd::sum(autograd::clip(Var(groups.size), 0, 1));
    for (Var* loss : {&losses.reconstruction, &losses.style_kl, &losses.class_kl}) *loss = *loss / present;
  }
  losses.total = losses.reconstruction + losses.style_kl + losses.class_kl;
  return losses;
}

nlohmann::json MlVae::meta() const {
  return {{"model", "ml_vae"},
          {"x_size", config_.x_size},
          {"hidden", config_.hidden},
          {"style_dim", config_.style_dim},
          {"class_dim", config_.class_dim}};
}

}  // namespace vae::models
