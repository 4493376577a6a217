#include "models/adgm/m2.h"

#include "models/adgm/conv_classifier.h"
#include "models/adgm/vae.h"

namespace vae::models::adgm {
namespace {

std::unique_ptr<Vae> frozen_features(const Config& c, nn::Options options) {
  if (c.kind != Kind::stacked) return nullptr;
  Config features;
  features.kind = Kind::vae;
  features.x_size = c.x_size;
  features.z = {c.features_z};
  features.hidden = c.features_hidden;
  features.raw_log_var = c.raw_log_var;
  auto vae = std::make_unique<Vae>(features, options);
  vae->freeze();
  return vae;
}

}  // namespace

M2::M2(const Config& c, nn::Options options)
    : Model(c, options.device),
      features_(frozen_features(c, options)),
      encoder_({{"x", input_size()}, {"y", c.y_size}}, c.hidden, c.z[0], c.raw_log_var, options),
      decoder_({{"z", c.z[0]}, {"y", c.y_size}}, decoder_sizes(c), c.x_size, c.decoder_activation, options) {
  add_child("encoder", encoder_);
  add_child("decoder", decoder_);
  if (c.conv_channels.empty()) {
    classifier_ = std::make_unique<Classifier>(std::vector<Input>{{"x", input_size()}}, classifier_sizes(c),
                                               c.y_size, options);
    add_child("classifier", *classifier_);
  } else {
    conv_classifier_ = std::make_unique<ConvClassifier>(c, options);
    add_child("classifier", *conv_classifier_);
  }
}

M2::~M2() = default;

class M2::Look : public Model::Images {
 public:
  Look(const M2& model, const Var& x) : Images(x), m_(model) {
    if (m_.features_)
      features_ = m_.features_->posterior(x);
    else
      encoder_x_ = m_.encoder_.first().onto(0, x, m_.encoder_.first().bias);
  }

  Terms terms(const Rows& rows, const Pass& pass) override {
    const JoinedLinear& first = m_.encoder_.first();
    Var u;
    if (m_.features_) {
      const Var z1 = draw(features_, pass.normal("feat", {rows.count(), m_.input_size()})).z;
      u = add_labels(first.onto(0, z1, first.bias), rows, first.weights[1]);
      pass.note("feat", z1), pass.note("feat_mu", features_.mean),
          pass.note("feat_logvar", features_.log_var);
    } else {
      u = under_labels(encoder_x_, rows, first.weights[1]);
    }
    const Gaussian q = m_.encoder_.behind(u);
    const Sample z = draw(q, pass.normal("z", {rows.count(), m_.config_.z[0]}));
    const Var logits = m_.decoder_(z.z, rows), kl = z.log_q - autograd::log_standard_normal(z.z);
    pass.note("z", z.z), pass.note("z_mu", q.mean), pass.note("z_logvar", q.log_var);
    pass.note("kl_z", kl), pass.note("x_logits", logits);
    return {log_likelihood(x_, logits, m_.config_.eps), kl};
  }

  Var classify(int64_t samples, const Pass& pass) override {
    VAE_CHECK(samples == 1, "q(y|x) draws nothing: {} samples", samples);
    const Var input = m_.features_ ? features_.mean : x_;
    if (m_.features_) {
      pass.note("cls_feat", features_.mean);
      pass.note("cls_feat_mu", features_.mean), pass.note("cls_feat_logvar", features_.log_var);
    }
    if (m_.conv_classifier_) return (*m_.conv_classifier_)(input);
    const JoinedLinear& first = m_.classifier_->first();
    return m_.classifier_->behind(first.onto(0, input, first.bias));
  }

 private:
  const M2& m_;
  Gaussian features_;
  Var encoder_x_;
};

std::unique_ptr<Model::Images> M2::look_at(const Var& x) const { return std::make_unique<Look>(*this, x); }

Var M2::decode(const Var& z, const Rows& rows, const Pass&) const { return decoder_(z, rows); }

void M2::add_weights(train::StateDict& state) {
  add_state(state);
  if (features_) features_->add_state(state, "features");
}

}  // namespace vae::models::adgm
