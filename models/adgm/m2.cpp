#include "models/adgm/m2.h"

namespace vae::adgm {
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
    : Model(c, options),
      features_(frozen_features(c, options)),
      encoder_(this, "encoder", {{"x", input_size()}, {"y", c.y_size}}, c.hidden, c.z[0], c),
      decoder_(this, "decoder", {{"z", c.z[0]}, {"y", c.y_size}}, c.decoder_units(), c) {
  if (c.conv_channels.empty())
    classifier_.emplace(this, "classifier", Inputs{{"x", input_size()}}, c);
  else
    conv_classifier_.emplace(this, "classifier", c);
}

class M2::Inside : public Model::Encoded {
 public:
  Inside(const M2& model, const Var& x, train::Share images) : Encoded(x, images), m_(model) {
    if (m_.features_)
      features_ = m_.features_->posterior(x);
    else
      encoder_x_ = m_.encoder_.first()(x);
  }

  Terms terms(const Rows& rows, const Step& step) override {
    const JoinedLinear& first = m_.encoder_.first();
    Var u;
    if (m_.features_) {
      const Var z1 = draw({rows.of_images(features_.mean), rows.of_images(features_.log_var)},
                          rows.normal(step, "feat", m_.input_size()))
                         .z;
      u = add_labels(first(z1), rows, first.weights[1]);
      step.note("feat", z1), note(step, "feat", features_);
    } else {
      u = under_labels(encoder_x_, rows, first.weights[1]);
    }
    const Gaussian q = m_.encoder_.behind(u);
    const Sample z = draw(q, rows.normal(step, "z", m_.config_.z[0]));
    const Var logits = m_.decoder_(z.z, rows), kl = z.log_q - autograd::log_standard_normal(z.z);
    step.note("z", z.z), note(step, "z", q);
    step.note("kl_z", kl), step.note("x_logits", logits);
    return {log_likelihood(x_, rows, logits, m_.config_.eps), kl, z.z, logits, {{"z", q.mean}}};
  }

  Var classify(int64_t samples, const Step& step, const Sample&) override {
    VAE_CHECK(samples == 1, "q(y|x) draws nothing: {} samples", samples);
    const Var input = m_.features_ ? features_.mean : x_;
    if (m_.features_) step.note("cls_feat", features_.mean), note(step, "cls_feat", features_);
    if (m_.conv_classifier_) return (*m_.conv_classifier_)(input);
    return m_.classifier_->behind(m_.classifier_->first()(input));
  }

 private:
  const M2& m_;
  Gaussian features_;
  Var encoder_x_;
};

std::unique_ptr<Model::Encoded> M2::encode(const Var& x, train::Share images) const {
  return std::make_unique<Inside>(*this, x, images);
}

}  // namespace vae::adgm
