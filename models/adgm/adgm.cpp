#include "models/adgm/adgm.h"

#include "autograd/ops_structure.h"

namespace vae::models::adgm {
namespace {

std::vector<Input> decoder_inputs(const Config& c) {
  std::vector<Input> inputs{{"z", c.z[0]}, {"y", c.y_size}};
  if (c.kind == Kind::sdgm) inputs.push_back({"a", c.a});
  return inputs;
}

std::vector<Input> aux_decoder_inputs(const Config& c) {
  if (c.kind == Kind::sdgm) return {{"z", c.z[0]}, {"y", c.y_size}};
  return {{"x", c.x_size}, {"y", c.y_size}, {"z", c.z[0]}};
}

}  // namespace

Adgm::Adgm(const Config& c, nn::Options options)
    : Model(c, options.device),
      encoder_({{"x", c.x_size}, {"y", c.y_size}, {"a", c.a}}, c.hidden, c.z[0], c.raw_log_var, options),
      decoder_(decoder_inputs(c), decoder_sizes(c), c.x_size, c.decoder_activation, options),
      classifier_({{"x", c.x_size}, {"a", c.a}}, classifier_sizes(c), c.y_size, options),
      aux_encoder_({{"x", c.x_size}}, c.hidden, c.a, c.raw_log_var, options),
      aux_decoder_(aux_decoder_inputs(c), decoder_sizes(c), c.a, c.raw_log_var, options) {
  add_child("encoder", encoder_);
  add_child("decoder", decoder_);
  add_child("classifier", classifier_);
  add_child("aux_encoder", aux_encoder_);
  add_child("aux_decoder", aux_decoder_);
}

class Adgm::Look : public Model::Images {
 public:
  Look(const Adgm& model, const Var& x)
      : Images(x),
        m_(model),
        q_a_(model.aux_encoder_(x)),
        encoder_x_(model.encoder_.first().onto(0, x, model.encoder_.first().bias)),
        classifier_x_(model.classifier_.first().onto(0, x, model.classifier_.first().bias)) {
    const JoinedLinear& p_a = model.aux_decoder_.first();
    if (!model.skip()) aux_decoder_x_ = p_a.onto(0, x, p_a.bias);
  }

  Terms terms(const Rows& rows, const Pass& pass) override {
    const Sample a = draw_a(rows, pass);
    const JoinedLinear& first = m_.encoder_.first();
    const Gaussian q_z =
        m_.encoder_.behind(first.onto(2, a.z, under_labels(encoder_x_, rows, first.weights[1])));
    const Var noise = pass.normal("z", q_z.mean.shape());
    const Sample z = draw(q_z, noise);
    const Gaussian p_a = auxiliary_prior(z.z, rows);
    const Var logits = m_.logits(z.z, a.z, rows);

    const Var kl_a = a.log_q - log_density(a.z, p_a), kl_z = z.log_q - autograd::log_standard_normal(z.z);
    pass.note("a", a.z), pass.note("a_mu", q_a_.mean), pass.note("a_logvar", q_a_.log_var);
    pass.note("z", z.z), pass.note("z_mu", q_z.mean), pass.note("z_logvar", q_z.log_var);
    pass.note("p_a_mu", p_a.mean), pass.note("p_a_logvar", p_a.log_var);
    pass.note("kl_a", kl_a), pass.note("kl_z", kl_z), pass.note("x_logits", logits);
    return {log_likelihood(x_, logits, m_.config_.eps), kl_a + kl_z};
  }

  Var classify(int64_t samples, const Pass& pass) override {
    const Var a = shared_a_.defined() ? shared_a_
                                      : draw(q_a_, pass.normal("cls_a", {samples * count(), m_.config_.a})).z;
    pass.note("cls_a", a), pass.note("cls_a_mu", q_a_.mean), pass.note("cls_a_logvar", q_a_.log_var);
    return m_.classifier_.behind(m_.classifier_.first().onto(1, a, classifier_x_));
  }

 private:
  /// A draw for each row; or for each image and sample, the first of which is left to classify().
  Sample draw_a(const Rows& rows, const Pass& pass) {
    if (!m_.config_.share_a) return draw(q_a_, pass.normal("a", {rows.count(), m_.config_.a}));
    const Sample a = draw(q_a_, pass.normal("a", {rows.samples * rows.images, m_.config_.a}));
    shared_a_ = rows.samples == 1 ? a.z : autograd::slice_rows(a.z, 0, rows.images);
    if (rows.classes == 1) return a;
    const auto spread = [&](const Var& x) { return autograd::repeat_rows(x, rows.classes, rows.samples); };
    return {spread(a.z), autograd::reshape(spread(autograd::reshape(a.log_q, {-1, 1})), {rows.count()})};
  }

  Gaussian auxiliary_prior(const Var& z, const Rows& rows) const {
    const JoinedLinear& first = m_.aux_decoder_.first();
    if (m_.skip()) return m_.prior_without_x(z, rows);
    return m_.aux_decoder_.behind(first.onto(2, z, under_labels(aux_decoder_x_, rows, first.weights[1])));
  }

  const Adgm& m_;
  Gaussian q_a_;
  Var encoder_x_, classifier_x_, aux_decoder_x_, shared_a_;
};

Gaussian Adgm::prior_without_x(const Var& z, const Rows& rows) const {
  const JoinedLinear& first = aux_decoder_.first();
  return aux_decoder_.behind(add_labels(first.onto(0, z, first.bias), rows, first.weights[1]));
}

Var Adgm::logits(const Var& z, const Var& a, const Rows& rows) const {
  const JoinedLinear& first = decoder_.first();
  Var u = add_labels(first.onto(0, z, first.bias), rows, first.weights[1]);
  if (skip()) u = first.onto(2, a, u);
  return decoder_.behind(u);
}

std::unique_ptr<Model::Images> Adgm::look_at(const Var& x) const { return std::make_unique<Look>(*this, x); }

Var Adgm::decode(const Var& z, const Rows& rows, const Pass& pass) const {
  if (!skip()) return logits(z, {}, rows);
  const Gaussian p_a = prior_without_x(z, rows);
  return logits(z, draw(p_a, pass.normal("p_a", p_a.mean.shape())).z, rows);
}

}  // namespace vae::models::adgm
