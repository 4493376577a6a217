#include "models/adgm/ladder.h"

namespace vae::models::adgm {
namespace {

/// Batch norm and the activation of the ladder, for rows that each stand `copies` times in the batch.
Var normalised(const nn::BatchNorm1d& norm, const Var& u, int64_t copies) {
  return norm(u, {kernels::Map::leaky_relu, {0.1, 0}}, copies);
}

}  // namespace

/// Linear, batch norm, LeakyReLU; the Gaussian of the layer on top of that.
class Ladder::Up : public nn::Module {
 public:
  Up(const std::vector<Input>& inputs, int64_t units, int64_t z, bool raw, nn::Options options)
      : linear(inputs, units, options), norm_(units, {}, options), sample_(units, z, raw, options) {
    add_child("linear", linear);
    add_child("batchnorm", norm_);
    add_child("sample", sample_);
  }
  struct Output {
    Var h;
    Gaussian q;
  };
  Output behind(const Var& u, int64_t copies) const {
    const Var h = normalised(norm_, u, copies);
    return {h, sample_(h)};
  }
  JoinedLinear linear;

 private:
  nn::BatchNorm1d norm_;
  GaussianHead sample_;
};

/// From the layer above: the prior, and a Gaussian to merge with what came up.
class Ladder::Down : public nn::Module {
 public:
  Down(int64_t above, int64_t units, int64_t z, bool raw, nn::Options options)
      : linear1_(above, units, options),
        linear2_(above, units, options),
        norm1_(units, {}, options),
        norm2_(units, {}, options),
        merge_(units, z, raw, options),
        sample_(units, z, raw, options) {
    add_child("linear1", linear1_);
    add_child("batchnorm1", norm1_);
    add_child("merge", merge_);
    add_child("linear2", linear2_);
    add_child("batchnorm2", norm2_);
    add_child("sample", sample_);
  }
  Gaussian prior(const Var& z) const { return sample_(normalised(norm2_, linear2_(z), 1)); }
  /// The product of two Gaussians, normalised: precisions add. `up` repeats over the rows.
  Gaussian posterior(const Var& z, const Gaussian& up, double eps) const {
    const Gaussian down = merge_(normalised(norm1_, linear1_(z), 1));
    const Var apart = down.log_var - up.log_var;  // the up part weighs sigmoid(apart)
    const Var mean = down.mean + autograd::sigmoid(apart) * (up.mean - down.mean);
    const Var log_var = down.log_var - autograd::softplus(apart);
    return {mean, eps > 0 ? autograd::log(autograd::exp(log_var), eps) : log_var};
  }

 private:
  nn::Linear linear1_, linear2_;
  nn::BatchNorm1d norm1_, norm2_;
  GaussianHead merge_, sample_;
};

namespace {

std::vector<Input> reconstruction_inputs(const Config& c) {
  std::vector<Input> inputs{{"z", c.z[0]}};
  if (has_labels(c.kind)) inputs.push_back({"y", c.y_size});
  return inputs;
}

}  // namespace

Ladder::Ladder(const Config& c, nn::Options options)
    : Model(c, options.device),
      reconstruction_(reconstruction_inputs(c), c.hidden, c.x_size, c.decoder_activation, options) {
  const bool labels = has_labels(c.kind);
  const size_t layers = c.z.size();
  for (size_t i = 0; i < layers; ++i) {
    std::vector<Input> inputs{{"x", i ? c.hidden[i - 1] : c.x_size}};
    if (labels && i + 1 == layers) inputs.push_back({"y", c.y_size});
    up_.push_back(std::make_unique<Up>(inputs, c.hidden[i], c.z[i], c.raw_log_var, options));
    add_child("encoder." + std::to_string(i), *up_.back());
  }
  for (size_t k = layers - 1; k-- > 0;) {
    down_.push_back(std::make_unique<Down>(c.z[k + 1], c.hidden[k], c.z[k], c.raw_log_var, options));
    add_child("decoder." + std::to_string(down_.size() - 1), *down_.back());
  }
  if (labels) {
    classifier_ = std::make_unique<Classifier>(std::vector<Input>{{"x", c.x_size}}, classifier_sizes(c),
                                               c.y_size, options);
    add_child("classifier", *classifier_);
  }
  add_child("reconstruction", reconstruction_);
}

Ladder::~Ladder() = default;

class Ladder::Look : public Model::Images {
 public:
  Look(const Ladder& model, const Var& x) : Images(x), m_(model) {}

  Terms terms(const Rows& rows, const Pass& pass) override {
    std::vector<Gaussian> up = climb(rows, pass);
    const size_t top = up.size() - 1;
    const auto noise = [&](const std::string& name, int64_t width) {
      return pass.normal(name, {rows.count(), width});
    };
    Sample q = draw(up[top], noise(fmt::format("enc{}", top), m_.config_.z[top]));
    pass.note(fmt::format("enc{}_z", top), q.z);
    Var z = q.z, kl = q.log_q - autograd::log_standard_normal(z);
    pass.note("kl_top", kl);
    for (size_t j = 0; j < top; ++j) {
      const std::string name = fmt::format("dec{}", j);
      const Ladder::Down& down = *m_.down_[j];
      const int64_t width = m_.config_.z[top - 1 - j];
      const Gaussian posterior = down.posterior(z, up[top - 1 - j], m_.config_.eps), prior = down.prior(z);
      q = draw(posterior, noise(name + "_q", width));
      const Var layer_kl = q.log_q - log_density(q.z, prior);
      kl = kl + layer_kl;
      // The library hands the prior's sample down, so that lower layers know of x through the top alone.
      z = m_.config_.fixed_ladder ? q.z : draw(prior, noise(name + "_p", width)).z;
      pass.note(name + "_q_z", q.z), pass.note("kl_" + name, layer_kl);
      pass.note(name + "_q_mu", posterior.mean), pass.note(name + "_q_logvar", posterior.log_var);
      pass.note(name + "_p_mu", prior.mean), pass.note(name + "_p_logvar", prior.log_var);
      if (!m_.config_.fixed_ladder) pass.note(name + "_p_z", z);
    }
    const Var logits = m_.reconstruction_(z, rows);
    pass.note("kl_total", kl), pass.note("x_logits", logits);
    return {log_likelihood(x_, logits, m_.config_.eps), kl};
  }

  Var classify(int64_t samples, const Pass&) override {
    VAE_CHECK(samples == 1, "q(y|x) draws nothing: {} samples", samples);
    const JoinedLinear& first = m_.classifier_->first();
    return m_.classifier_->behind(first.onto(0, x_, first.bias));
  }

 private:
  /// The Gaussians of the layers: one row per image below the labels, one per image and class at the top with
  /// them.
  std::vector<Gaussian> climb(const Rows& rows, const Pass& pass) const {
    std::vector<Gaussian> up;
    Var h = x_;
    int64_t copies = rows.count() / std::max<int64_t>(1, rows.images);
    for (size_t i = 0; i < m_.up_.size(); ++i) {
      const Ladder::Up& layer = *m_.up_[i];
      Var u = layer.linear.onto(0, h, layer.linear.bias);
      if (layer.linear.weights.size() > 1) {
        u = under_labels(u, rows, layer.linear.weights[1]);
        copies = rows.samples;
      }
      const Up::Output output = layer.behind(u, copies);
      h = output.h;
      const std::string name = fmt::format("enc{}", i);
      pass.note(name + "_h", h), pass.note(name + "_mu", output.q.mean),
          pass.note(name + "_logvar", output.q.log_var);
      up.push_back(output.q);
    }
    return up;
  }

  const Ladder& m_;
};

std::unique_ptr<Model::Images> Ladder::look_at(const Var& x) const {
  return std::make_unique<Look>(*this, x);
}

Var Ladder::decode(const Var& z, const Rows& rows, const Pass& pass) const {
  Var below = z;
  for (size_t j = 0; j < down_.size(); ++j) {
    const Gaussian prior = down_[j]->prior(below);
    below = draw(prior, pass.normal(fmt::format("dec{}_p", j), prior.mean.shape())).z;
  }
  return reconstruction_(below, rows);
}

}  // namespace vae::models::adgm
