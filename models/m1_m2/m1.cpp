#include "models/m1_m2/m1.h"

#include "nn/init.h"

namespace vae::m1_m2 {
namespace {

void note_likelihood(const Likelihood& p, const train::Step& step, const std::string& suffix) {
  if (const auto* bits = std::get_if<nn::Bernoulli>(&p)) return step.note("x_logits" + suffix, bits->logits);
  const auto& g = std::get<Gaussian>(p);
  step.note("x_mean" + suffix, g.mean), step.note("x_log_var" + suffix, g.log_var);
}

}  // namespace

Var bound(const Var& x, const Gaussian& q, const Var& z, const Likelihood& p, const CommonConfig& config,
          ZTerms terms, nn::LogVarRange range, const train::Step& step, const std::string& suffix,
          double constant) {
  const Var log_px = nn::log_likelihood(repeating(x), p, range);
  step.note("z" + suffix, z), step.note("log_px" + suffix, log_px);
  note_likelihood(p, step, suffix);
  if (terms == ZTerms::kl) {
    const Var kl = autograd::kl_standard_normal(q.mean, q.log_var);
    step.note("kl" + suffix, kl);
    return autograd::add_scaled(log_px, -1, kl, constant);
  }
  const Var log_pz = config.p_z == ZTerm::marginal ? autograd::log_standard_normal_marginal(q.mean, q.log_var)
                                                   : autograd::log_standard_normal(z);
  const Var log_qz = config.q_z == ZTerm::marginal
                         ? autograd::negative_entropy(q.log_var)
                         : -autograd::gaussian_nll(z, q.mean, q.log_var, range.low, range.high);
  step.note("log_pz" + suffix, log_pz), step.note("log_qz" + suffix, log_qz);
  return autograd::add_scaled(log_px + log_pz, -1, log_qz, constant);
}

M1::M1(const M1Config& c, nn::Options options)
    : Module(options),
      config_(c),
      encoder_(this, "encoder", NetInput{c.x_size}, c.encoder, c, c.z_size),
      decoder_(this, "decoder", NetInput{c.z_size}, c.decoder_net, c, c.x_size, c.decoder) {
  nn::init_normal_fan_in(*this, c.weight_scale, options.seed);
}

Var M1::loss(const Tensor& x, train::Share batch, const train::Step& step) const {
  const nn::ShareOfBatch share(batch.places());
  const train::Rows rows(batch, config_.samples);
  const Tensor eps = step.normal("eps", rows, config_.z_size).value();
  const Gaussian q = encode(Var(x));
  step.note("mean", q.mean), step.note("log_var", q.log_var);
  const ZTerms terms = config_.decoder == LikelihoodKind::bernoulli ? ZTerms::kl : ZTerms::explicit_terms;
  Var total;
  for (int64_t l = 0; l < config_.samples; ++l) {
    const Var z = nn::sample(q, Var(eps.slice(l * batch.rows, (l + 1) * batch.rows)));
    const Var of_draw = bound(Var(x), q, z, decode(z), config_, terms, {}, step, fmt::format("_{}", l));
    total = total.defined() ? total + of_draw : of_draw;
  }
  return step.mean(total, rows, -1);
}

}  // namespace vae::m1_m2
