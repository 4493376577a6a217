#include "models/adgm/ladder.h"

namespace vae::adgm {
namespace {

/// Batch norm and the activation of the ladder, for rows that each stand `copies` times in the batch.
Var normalised(const nn::BatchNorm& norm, const Var& u, int64_t copies) {
  return norm(u, {kernels::Map::leaky_relu, {0.1, 0}}, copies);
}

}  // namespace

/// Linear, batch norm, LeakyReLU; the Gaussian of the layer on top of that.
class Ladder::Up : public nn::Module {
 public:
  Up(Module* parent, const std::string& name, const Inputs& inputs, int64_t units, int64_t z, const Config& c)
      : Module(parent, name),
        linear(this, "linear", inputs, units),
        norm_(this, "batchnorm", units),
        sample_(this, "sample", units, z, c) {}
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
  nn::BatchNorm norm_;
  SampleHead sample_;
};

/// From the layer above: the prior, and a Gaussian to merge with what came up.
class Ladder::Down : public nn::Module {
 public:
  Down(Module* parent, const std::string& name, int64_t above, int64_t units, int64_t z, const Config& c)
      : Module(parent, name),
        linear1_(this, "linear1", above, units),
        norm1_(this, "batchnorm1", units),
        merge_(this, "merge", units, z, c),
        linear2_(this, "linear2", above, units),
        norm2_(this, "batchnorm2", units),
        sample_(this, "sample", units, z, c) {}
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
  nn::Linear linear1_;
  nn::BatchNorm norm1_;
  SampleHead merge_;
  nn::Linear linear2_;
  nn::BatchNorm norm2_;
  SampleHead sample_;
};

Ladder::Ladder(const Config& c, nn::Options options) : Model(c, options) {
  const bool labels = has_labels(c.kind);
  const size_t layers = c.z.size();
  for (size_t i = 0; i < layers; ++i) {
    Inputs inputs{{"x", i ? c.hidden[i - 1] : c.x_size}};
    if (labels && i + 1 == layers) inputs.push_back({"y", c.y_size});
    up_.push_back(std::make_unique<Up>(this, fmt::format("encoder.{}", i), inputs, c.hidden[i], c.z[i], c));
  }
  for (size_t k = layers - 1; k-- > 0;)
    down_.push_back(std::make_unique<Down>(this, fmt::format("decoder.{}", down_.size()), c.z[k + 1],
                                           c.hidden[k], c.z[k], c));
  if (labels) classifier_.emplace(this, "classifier", Inputs{{"x", c.x_size}}, c);
  Inputs bottom{{"z", c.z[0]}};
  if (labels) bottom.push_back({"y", c.y_size});
  reconstruction_.emplace(this, "reconstruction", bottom, c.hidden, c);
}

Ladder::~Ladder() = default;

class Ladder::Inside : public Model::Encoded {
 public:
  Inside(const Ladder& model, const Var& x, train::Share images) : Encoded(x, images), m_(model) {}

  /// Batch norm mixes rows, so that up to the last net all of them are computed.
  Terms terms(const Rows& wanted, const Step& step) override {
    const Rows rows = wanted.all();
    std::vector<Gaussian> up = climb(rows, step);
    const size_t top = up.size() - 1;
    const auto noise = [&](const std::string& name, int64_t width) {
      return step.normal(name, rows.noise(), width);
    };
    Sample q = draw(up[top], noise(fmt::format("enc{}", top), m_.config_.z[top]));
    step.note(fmt::format("enc{}_z", top), q.z);
    const Var code = q.z;
    Var z = q.z, kl = q.log_q - autograd::log_standard_normal(z);
    step.note("kl_top", kl);
    for (size_t j = 0; j < top; ++j) {
      const std::string name = fmt::format("dec{}", j);
      const Ladder::Down& down = *m_.down_[j];
      const int64_t width = m_.config_.z[top - 1 - j];
      const Gaussian posterior = down.posterior(z, up[top - 1 - j], m_.config_.eps), prior = down.prior(z);
      q = draw(posterior, noise(name + "_q", width));
      const Var layer_kl = q.log_q + autograd::gaussian_nll(q.z, prior.mean, prior.log_var);
      kl = kl + layer_kl;
      // The library hands the prior's sample down, so that lower layers know of x through the top alone.
      z = m_.config_.fixed_ladder ? q.z : sample(prior, noise(name + "_p", width));
      step.note(name + "_q_z", q.z), step.note("kl_" + name, layer_kl);
      note(step, name + "_q", posterior), note(step, name + "_p", prior);
      if (!m_.config_.fixed_ladder) step.note(name + "_p_z", z);
    }
    const Var logits = (*m_.reconstruction_)(wanted.kept(z), wanted);
    step.note("kl_total", kl), step.note("x_logits", logits);
    Terms terms{log_likelihood(x_, wanted, logits, m_.config_.eps), wanted.kept(kl), code, logits};
    for (size_t i = 0; i <= top; ++i) terms.posterior_means.push_back({fmt::format("enc{}", i), up[i].mean});
    return terms;
  }

  Var classify(int64_t samples, const Step&, const Sample&) override {
    VAE_CHECK(samples == 1, "q(y|x) draws nothing: {} samples", samples);
    return m_.classifier_->behind(m_.classifier_->first()(x_));
  }

 private:
  /// The Gaussians of the layers: a row per image below the labels, per image and class at a top with them.
  std::vector<Gaussian> climb(const Rows& rows, const Step& step) const {
    std::vector<Gaussian> up;
    Var h = x_;
    int64_t copies = rows.classes * rows.samples;
    for (size_t i = 0; i < m_.up_.size(); ++i) {
      const Ladder::Up& layer = *m_.up_[i];
      Var u = layer.linear(h);
      if (layer.linear.weights.size() > 1) {
        u = under_labels(u, rows, layer.linear.weights[1]);
        copies = rows.samples;
      }
      const Up::Output output = layer.behind(u, copies);
      h = output.h;
      const std::string name = fmt::format("enc{}", i);
      step.note(name + "_h", h), note(step, name, output.q);
      up.push_back(nn::repeating(output.q));
    }
    return up;
  }

  const Ladder& m_;
};

std::unique_ptr<Model::Encoded> Ladder::encode(const Var& x, train::Share images) const {
  return std::make_unique<Inside>(*this, x, images);
}

Var Ladder::decode(const Var& z, const Rows& rows, const Step& step) const {
  Var below = z;
  for (size_t j = 0; j < down_.size(); ++j) {
    const Gaussian prior = down_[j]->prior(below);
    const Var noise =
        step.normal(fmt::format("dec{}_p", j), rows.noise(), config_.z[config_.z.size() - 2 - j]);
    below = draw(prior, noise).z;
  }
  return (*reconstruction_)(below, rows);
}

}  // namespace vae::adgm
