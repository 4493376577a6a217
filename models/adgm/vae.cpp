#include "models/adgm/vae.h"

#include <cmath>

#include "autograd/ops_losses.h"

namespace vae::models::adgm {

/// f(z) = z + u^ tanh(w z + b)
class Vae::Flow : public nn::Module {
 public:
  Flow(int64_t width, nn::Options options) {
    const auto parameter = [&](const char* name, Var& var, int64_t n) {
      var = Var(Tensor::zeros({n}, options.dtype, options.device), true);
      add_parameter(name, var);
    };
    parameter("u", u, width), parameter("w", w, width), parameter("b", b, 1);
  }
  Var u, w, b;
};

Vae::Vae(const Config& c, nn::Options options)
    : Model(c, options.device),
      encoder_({{"x", c.x_size}}, c.hidden, c.z[0], c.raw_log_var, options),
      decoder_({{"z", c.z[0]}}, decoder_sizes(c), c.x_size, c.decoder_activation, options) {
  add_child("encoder", encoder_);
  add_child("decoder", decoder_);
  for (int64_t i = 0; i < c.flows; ++i) {
    flows_.push_back(std::make_unique<Flow>(c.z[0], options));
    add_child("flow.flows." + std::to_string(i), *flows_.back());
  }
}

Vae::~Vae() = default;

class Vae::Look : public Model::Images {
 public:
  Look(const Vae& model, const Var& x) : Images(x), m_(model), q_(model.encoder_(x)) {}

  Terms terms(const Rows& rows, const Pass& pass) override {
    const Sample sample = draw(q_, pass.normal("z", {rows.count(), m_.config_.z[0]}));
    Var z = sample.z, log_q = sample.log_q, log_det;
    for (const auto& flow : m_.flows_) {
      const autograd::PlanarFlow f = autograd::planar_flow(z, flow->u, flow->w, flow->b, m_.config_.eps);
      z = f.z;
      log_det = log_det.defined() ? log_det + f.log_det : f.log_det;
    }
    // The library sums the log-determinants of the whole batch into every row, and decodes what has not
    // flowed.
    const bool fixed = m_.config_.fixed_flow;
    if (log_det.defined()) log_q = log_q - (fixed ? log_det : autograd::sum(log_det));
    const Var logits = m_.decoder_(fixed ? z : sample.z, rows), kl = log_q - autograd::log_standard_normal(z);
    pass.note("z", sample.z), pass.note("z_mu", q_.mean), pass.note("z_logvar", q_.log_var);
    pass.note("kl_z", kl), pass.note("x_logits", logits);
    return {log_likelihood(x_, logits, m_.config_.eps), kl};
  }

 private:
  const Vae& m_;
  Gaussian q_;
};

std::unique_ptr<Model::Images> Vae::look_at(const Var& x) const { return std::make_unique<Look>(*this, x); }

Var Vae::decode(const Var& z, const Rows& rows, const Pass&) const { return decoder_(z, rows); }

GumbelVae::GumbelVae(const Config& c, nn::Options options)
    : Model(c, options.device),
      encoder_({{"x", c.x_size}}, c.hidden, nn::Activation::relu, options),
      logits_(c.hidden.back(), c.draws * c.z[0], options),
      decoder_({{"z", c.z[0]}}, decoder_sizes(c), c.x_size, c.decoder_activation, options),
      temperature_(Tensor::empty(Shape{}, options.dtype, options.device)) {
  kernels::fill(temperature_, 1.0);
  add_child("encoder", encoder_);
  add_child("sampler.logits", logits_);
  add_child("decoder", decoder_);
}

class GumbelVae::Look : public Model::Images {
 public:
  Look(const GumbelVae& model, const Var& x)
      : Images(x),
        m_(model),
        logits_(m_.logits_(m_.encoder_(m_.encoder_.first.onto(0, x, m_.encoder_.first.bias)))) {}

  Terms terms(const Rows& rows, const Pass& pass) override {
    const int64_t classes = m_.config_.z[0], draws = m_.config_.draws;
    // The library takes the softmax over the draws.
    const int64_t width = m_.config_.fixed_gumbel ? classes : draws;
    const Var grouped = autograd::reshape(logits_, {-1, width});
    const Var noise = pass.uniform("u", {rows.count() * draws * classes / width, width});
    const Var relaxed = autograd::gumbel_softmax(grouped, noise.value(), Var(m_.temperature_), kNoiseEps);
    const Var sample =
        autograd::reshape(autograd::mean(relaxed, {rows.count(), draws, classes}), {rows.count(), classes});
    const Var q = autograd::softmax(grouped);
    const Var log_uniform(number(-std::log(static_cast<double>(classes)), q.value()));
    const Var negative_kl = autograd::rowsum(kernels::Map::weighted_bound,
                                             {autograd::reshape(q, {-1, draws * classes}), log_uniform},
                                             {above_zero(m_.config_.eps), 0});
    const Var logits = m_.decoder_(sample, rows);
    Var kl = -negative_kl;
    if (rows.samples > 1)
      kl = autograd::reshape(autograd::repeat_rows(autograd::reshape(kl, {-1, 1}), rows.samples),
                             {rows.count()});
    pass.note("logits", logits_), pass.note("q", q), pass.note("sample", sample);
    pass.note("kl_total", kl), pass.note("x_logits", logits);
    return {log_likelihood(x_, logits, m_.config_.eps), kl};
  }

 private:
  static constexpr double kNoiseEps = 1e-8;  // inside both logarithms of the Gumbel noise
  const GumbelVae& m_;
  Var logits_;
};

std::unique_ptr<Model::Images> GumbelVae::look_at(const Var& x) const {
  return std::make_unique<Look>(*this, x);
}

Var GumbelVae::decode(const Var& z, const Rows& rows, const Pass&) const { return decoder_(z, rows); }

}  // namespace vae::models::adgm
