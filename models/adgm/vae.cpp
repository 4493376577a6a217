#include "models/adgm/vae.h"

#include <cmath>

namespace vae::adgm {

Vae::Flow::Flow(Module* parent, const std::string& name, int64_t width)
    : Module(parent, name),
      u(parameter("u", {width})),
      w(parameter("w", {width})),
      b(parameter("b", {1}, 1)) {
  const Tensor zero = Tensor::scalar(int64_t{0}, options().device);
  for (const auto& [part, var] : {std::pair{"u", &u}, {"w", &w}})
    kernels::random_normal(var->value(), RandomKey::named(options().seed, "init/" + path(part)), zero, {});
}

Vae::Vae(const Config& c, nn::Options options)
    : Model(c, options),
      encoder_(this, "encoder", {{"x", c.x_size}}, c.hidden, c.z[0], c),
      decoder_(this, "decoder", {{"z", c.z[0]}}, c.decoder_units(), c) {
  for (int64_t i = 0; i < c.flows; ++i)
    flows_.push_back(std::make_unique<Flow>(this, fmt::format("flow.flows.{}", i), c.z[0]));
}

class Vae::Inside : public Model::Encoded {
 public:
  Inside(const Vae& model, const Var& x, train::Share images)
      : Encoded(x, images), m_(model), q_(model.encoder_(x)) {}

  Terms terms(const Rows& rows, const Step& step) override {
    const Sample sample = draw(q_, step.normal("z", rows.noise(), m_.config_.z[0]));
    Var z = sample.z, log_q = sample.log_q, log_det;
    for (const auto& flow : m_.flows_) {
      const autograd::PlanarFlow f = autograd::planar_flow(z, flow->u, flow->w, flow->b, m_.config_.eps);
      z = f.z;
      log_det = log_det.defined() ? log_det + f.log_det : f.log_det;
    }
    // The library sums log-determinants of the whole batch into every row, and decodes what has not flowed.
    const bool fixed = m_.config_.fixed_flow;
    if (log_det.defined()) log_q = log_q - (fixed ? log_det : step.total(step.sum(log_det)));
    const Var code = fixed ? z : sample.z;
    const Var logits = m_.decoder_(code, rows), kl = log_q - autograd::log_standard_normal(z);
    step.note("z", sample.z), note(step, "z", q_);
    step.note("kl_z", kl), step.note("x_logits", logits);
    return {log_likelihood(x_, rows, logits, m_.config_.eps), kl, code, logits, {{"z", q_.mean}}};
  }

 private:
  const Vae& m_;
  Gaussian q_;
};

std::unique_ptr<Model::Encoded> Vae::encode(const Var& x, train::Share images) const {
  return std::make_unique<Inside>(*this, x, images);
}

GumbelVae::GumbelVae(const Config& c, nn::Options options)
    : Model(c, options),
      encoder_(this, "encoder", {{"x", c.x_size}}, c.hidden),
      logits_(this, "sampler.logits", c.hidden.back(), c.draws * c.z[0]),
      decoder_(this, "decoder", {{"z", c.z[0]}}, c.decoder_units(), c) {}

class GumbelVae::Inside : public Model::Encoded {
 public:
  Inside(const GumbelVae& model, const Var& x, train::Share images)
      : Encoded(x, images), m_(model), logits_(m_.logits_(m_.encoder_(m_.encoder_.first(x)))) {}

  Terms terms(const Rows& rows, const Step& step) override {
    const int64_t classes = m_.config_.z[0], draws = m_.config_.draws;
    // The library takes the softmax over the draws.
    const int64_t width = m_.config_.fixed_gumbel ? classes : draws;
    const Var grouped = autograd::reshape(logits_, {-1, width});
    const Var noise = autograd::reshape(step.uniform("u", rows.noise(), draws * classes), {-1, width});
    const Var relaxed = autograd::gumbel_softmax(
        grouped, noise.value(), step.number("temperature", m_.config_.temperature), kNoiseEps);
    const Var sample =
        autograd::reshape(autograd::mean(relaxed, {rows.count(), draws, classes}), {rows.count(), classes});
    const Var q = autograd::softmax(grouped), logits = m_.decoder_(sample, rows), kl = divergence(q, rows);
    step.note("logits", logits_), step.note("q", q), step.note("sample", sample);
    step.note("kl_total", kl), step.note("x_logits", logits);
    return {log_likelihood(x_, rows, logits, m_.config_.eps), kl, sample, logits};
  }

 private:
  /// From the uniform distribution, per row.
  Var divergence(const Var& q, const Rows& rows) const {
    const int64_t classes = m_.config_.z[0];
    const Tensor log_uniform = Tensor::empty(Shape{}, q.value().dtype(), q.value().device());
    kernels::fill(log_uniform, -std::log(static_cast<double>(classes)));
    const Var kl = -autograd::weighted_bound(autograd::reshape(q, {-1, m_.config_.draws * classes}),
                                             Var(log_uniform), above_zero(m_.config_.eps));
    if (rows.samples == 1) return kl;
    return autograd::reshape(autograd::repeat_rows(autograd::reshape(kl, {-1, 1}), rows.samples),
                             {rows.count()});
  }

  static constexpr double kNoiseEps = 1e-8;  // inside both logarithms of the Gumbel noise
  const GumbelVae& m_;
  Var logits_;
};

std::unique_ptr<Model::Encoded> GumbelVae::encode(const Var& x, train::Share images) const {
  return std::make_unique<Inside>(*this, x, images);
}

}  // namespace vae::adgm
