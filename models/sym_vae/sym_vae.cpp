#include "models/sym_vae/sym_vae.h"

#include <numbers>

#include "nn/init.h"

namespace vae::sym_vae {
namespace {

constexpr double kHalfLog2Pi = 0.91894;  // log(2 pi) / 2 and log 2 as the reference has them
constexpr double kLog2 = 0.6931;

const Config& checked(const Config& c) {
  for (const int64_t size : {c.nz0, c.nz1, c.width, c.encoder_units, c.prior_units, c.code_units})
    if (size < 1)
      fail(ErrorKind::usage, "symmetric VAE of {} and {} bits, {} channels, {}, {} and {} units", c.nz0,
           c.nz1, c.width, c.encoder_units, c.prior_units, c.code_units);
  return c;
}

bool is_ladder(const Config& c) { return c.encoder == EncoderKind::ladder; }

/// The parts' names in checkpoints.
const char* prior_name(const Config& c) { return is_ladder(c) ? "fnet01" : "pnet01"; }
const char* decoder_name(const Config& c) { return is_ladder(c) ? "fnet1x" : "pnet1x"; }

}  // namespace

Generator::Generator(Module* parent, const Config& c)
    : Module(parent, ""),
      log_sigma(c.likelihood == nn::LikelihoodKind::gaussian ? parameter("lsigma", Shape{}) : Var()),
      prior_(this, prior_name(c), c.nz0, c.prior_units, c.nz0, c.nz1),
      decoder_(this, decoder_name(c), c.nz1, c.width, c.decoder_activation) {}

LadderEncoder::LadderEncoder(Module* parent, const Config& c)
    : Module(parent, "rnet"),
      trunk_(this, c.width, c.encoder_units),
      z1_(this, "conv_z1", c.encoder_units, c.nz1),
      z0_(this, "", c.encoder_units, c.encoder_units, c.nz1, c.nz0) {}

LadderEncoder::Logits LadderEncoder::operator()(const Var& x) const {
  const Var h = trunk_(x), a1 = z1_(h);
  return {.a0 = z0_(h, a1), .a1 = a1};
}

ReverseEncoder::ReverseEncoder(Module* parent, const Config& c)
    : Module(parent, ""),
      of_image_(this, "qnetx1"),
      of_code_(this, "qnet10"),
      trunk_(&of_image_, c.width, c.encoder_units),
      z1_(&of_image_, "conv_z1", c.encoder_units, c.nz1),
      first_(&of_code_, "conv_z1", c.nz1, c.code_units),
      z0_(&of_code_, "", c.code_units, c.code_units, c.nz1, c.nz0) {}

SymVae::SymVae(const Config& config, nn::Options options)
    : Module(options),
      config_(checked(config)),
      half_(number(*this, 0.5)),
      generator_(this, config),
      encoder_(this, "") {
  if (is_ladder(config)) {
    statistics_.emplace(this, config.nz0, config.nz1);
    ladder_.emplace(&encoder_, config);
  } else {
    reverse_.emplace(&encoder_, config);
  }
  nn::init_uniform_fan_in(*this, options.seed);
}

Var SymVae::draw_bits(const char* name, const Var& logits, train::Share batch, const train::Step& step) {
  return autograd::zgr_bit(logits, step.uniform(name, batch, logits.shape()[1]).value());
}

Var SymVae::draw_z0(train::Share batch, const train::Step& step) const {
  const Tensor uniform = step.uniform("z0", batch, config_.nz0).value();
  return autograd::bernoulli(Var(half_), uniform);
}

Codes SymVae::posterior(const Var& x, train::Share batch, const train::Step& step) const {
  if (!ladder_) return {.logits1 = reverse_->z1(x)};
  const auto [a0, a1] = (*ladder_)(x);
  step.note("a0", a0), step.note("a1", a1);
  const Var z0 = draw_bits("z0", a0, batch, step), prior = generator_.prior(z0);
  return {.z0 = z0, .logits0 = a0, .logits1 = prior + a1, .prior = prior};
}

Codes SymVae::encode(const Var& x, train::Share batch, const train::Step& step) const {
  Codes q = posterior(x, batch, step);
  q.z1 = draw_bits("z1", q.logits1, batch, step);
  if (reverse_) {
    q.logits0 = reverse_->z0(q.z1);
    q.z0 = draw_bits("z0", q.logits0, batch, step);
  }
  note(step, q);
  return q;
}

Var SymVae::encode_z1(const Var& x, train::Share batch, const train::Step& step) const {
  return draw_bits("z1", posterior(x, batch, step).logits1, batch, step);
}

Codes SymVae::draw_codes(train::Share batch, const train::Step& step) const {
  const Var z0 = draw_z0(batch, step), prior = generator_.prior(z0);
  return {.z0 = z0, .z1 = draw_bits("z1", prior, batch, step), .logits1 = prior, .prior = prior};
}

Drawn SymVae::draw(train::Share batch, const train::Step& step) const {
  Codes codes = draw_codes(batch, step);
  const Var x = draw_images(decode(codes.z1), batch, step);
  step.note("z0", codes.z0), step.note("z1", codes.z1), step.note("x", x);
  return {.codes = std::move(codes), .x = x};
}

void SymVae::add_statistics(const Var& x, train::Share batch, const train::Step& step) const {
  if (!statistics_) return;
  const Var prior = generator_.prior(draw_z0(batch, step.in("statp")));
  const Codes q = posterior(x, batch, step.in("statq"));
  statistics_->add(q.logits0, prior, q.logits1, batch, step);
}

Tensor SymVae::mean_of(const Var& decoded) const {
  return has_bits() ? autograd::sigmoid(decoded).value() : decoded.value();
}

Var SymVae::draw_images(const Var& decoded, train::Share batch, const train::Step& step) const {
  if (has_bits()) return autograd::zgr_bit(decoded, step.uniform("x", batch, kPixels).value());
  return decoded + autograd::exp(generator_.log_sigma) * step.normal("x", batch, kPixels);
}

Var SymVae::reconstruction(const Var& x, const Var& decoded) const {
  if (has_bits()) return autograd::bernoulli_nll(decoded, x);
  const Var& log_sigma = generator_.log_sigma;
  return autograd::squared_error(x, decoded) * (0.5 * autograd::exp(-2.0 * log_sigma)) +
         autograd::affine(log_sigma, kPixels, kPixels * kHalfLog2Pi);
}

GeneratorLosses SymVae::generator_losses(const Var& x, const Codes& codes, train::Share batch,
                                         const train::Step& step) const {
  const Var z0(codes.z0.value()), z1(codes.z1.value());
  const Var prior = codes.prior.needs_grad() ? codes.prior : generator_.prior(z0), decoded = decode(z1);
  step.note("scores_z1", prior), step.note(pixels_note(), decoded);
  GeneratorLosses losses{.z1 = step.mean(autograd::bernoulli_nll(prior, z1), batch),
                         .x = step.mean(reconstruction(x, decoded), batch),
                         .total = {}};
  losses.total = losses.z1 + losses.x;
  return losses;
}

EncoderLosses SymVae::encoder_losses(const Drawn& drawn, train::Share batch, const train::Step& step) const {
  const auto& [z0, z1, unused0, unused1, prior] = drawn.codes;
  Codes q;
  if (ladder_) {
    const auto [a0, a1] = (*ladder_)(drawn.x);
    step.note("a0", a0), step.note("a1", a1);
    q.logits0 = a0, q.logits1 = prior + a1;
  } else {
    q.logits1 = reverse_->z1(drawn.x), q.logits0 = reverse_->z0(z1);
  }
  note(step, q);
  EncoderLosses losses{.z0 = step.mean(autograd::bernoulli_nll(q.logits0, z0), batch),
                       .z1 = step.mean(autograd::bernoulli_nll(q.logits1, z1), batch),
                       .total = {}};
  losses.total = losses.z0 + losses.z1;
  return losses;
}

ElboLosses SymVae::elbo_losses(const Var& x, train::Share batch, const train::Step& step) const {
  const Codes q = encode(x, batch, step);
  const Var decoded = decode(q.z1), prior = ladder_ ? q.prior : generator_.prior(q.z0);
  step.note(pixels_note(), decoded), step.in("p").note("scores_z1", prior);
  ElboLosses losses;
  losses.data = step.mean(reconstruction(x, decoded), batch);
  if (ladder_) {
    const auto divergence = [&](const Var& logits, const Var& p) {
      return step.mean(autograd::bernoulli_kl(autograd::sigmoid(logits), p, kWeakening), batch);
    };
    losses.kl0 = divergence(q.logits0, Var(half_));
    losses.kl1 = divergence(q.logits1, autograd::sigmoid(prior));
    losses.kl = losses.kl0 + losses.kl1;
  } else {
    const Var log_q_z1 = step.mean(autograd::bernoulli_nll(q.logits1, q.z1), batch, -1),
              log_q_z0 = step.mean(autograd::bernoulli_nll(q.logits0, q.z0), batch, -1),
              neg_log_p_z1 = step.mean(autograd::bernoulli_nll(prior, q.z1), batch);
    step.note("loss_log_q_z1", log_q_z1), step.note("loss_log_q_z0", log_q_z0);
    step.note("loss_neg_log_p_z1", neg_log_p_z1);
    const double prior_of_z0 = kLog2 * static_cast<double>(config_.nz0);
    losses.kl = log_q_z1 + log_q_z0 + neg_log_p_z1 + prior_of_z0 * batch.weight();
  }
  losses.total = losses.data + losses.kl;
  return losses;
}

Var SymVae::log_weight(const Var& x, train::Share batch, const train::Step& step) const {
  const Codes q = encode(x, batch, step);
  const Var prior = ladder_ ? q.prior : generator_.prior(q.z0);
  const Var log_q = -(autograd::bernoulli_nll(q.logits0, q.z0) + autograd::bernoulli_nll(q.logits1, q.z1));
  const Var log_p = -(autograd::bernoulli_nll(prior, q.z1) + reconstruction(x, decode(q.z1)));
  return log_p - log_q + -std::numbers::ln2 * static_cast<double>(config_.nz0);
}

void SymVae::note(const train::Step& step, const Codes& q) const {
  step.note("scores_z0", q.logits0), step.note("scores_z1", q.logits1);
  if (q.z0.defined()) step.note("z0", q.z0), step.note("z1", q.z1);
}

}  // namespace vae::sym_vae
