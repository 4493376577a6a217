#include "models/adgm/adgm.h"

namespace vae::adgm {
namespace {

Inputs decoder_inputs(const Config& c) {
  Inputs inputs{{"z", c.z[0]}, {"y", c.y_size}};
  if (c.kind == Kind::sdgm) inputs.push_back({"a", c.a});
  return inputs;
}

Inputs aux_decoder_inputs(const Config& c) {
  if (c.kind == Kind::sdgm) return {{"z", c.z[0]}, {"y", c.y_size}};
  return {{"x", c.x_size}, {"y", c.y_size}, {"z", c.z[0]}};
}

}  // namespace

Adgm::Adgm(const Config& c, nn::Options options)
    : Model(c, options),
      encoder_(this, "encoder", {{"x", c.x_size}, {"y", c.y_size}, {"a", c.a}}, c.hidden, c.z[0], c),
      decoder_(this, "decoder", decoder_inputs(c), c.decoder_units(), c),
      classifier_(this, "classifier", {{"x", c.x_size}, {"a", c.a}}, c),
      aux_encoder_(this, "aux_encoder", {{"x", c.x_size}}, c.hidden, c.a, c),
      aux_decoder_(this, "aux_decoder", aux_decoder_inputs(c), c.decoder_units(), c.a, c) {}

namespace {

Var first_rows(const Var& x, int64_t rows) {
  return x.shape()[0] == rows ? x : autograd::slice_rows(x, 0, rows);
}

}  // namespace

class Adgm::Inside : public Model::Encoded {
 public:
  Inside(const Adgm& model, const Var& x, train::Share images)
      : Encoded(x, images),
        m_(model),
        q_a_(model.aux_encoder_(x)),
        encoder_x_(model.encoder_.first()(x)),
        classifier_x_(model.classifier_.first()(x)) {
    if (!model.skip()) aux_decoder_x_ = model.aux_decoder_.first()(x);
  }

  Terms terms(const Rows& rows, const Step& step) override {
    const Sample a = draw_a(rows, step);
    const JoinedLinear& first = m_.encoder_.first();
    const Gaussian q_z =
        m_.encoder_.behind(first.onto(2, a.z, under_labels(encoder_x_, rows, first.weights[1])));
    const Sample z = draw(q_z, rows.normal(step, "z", m_.config_.z[0]));
    const Gaussian p_a = auxiliary_prior(z.z, rows);
    const Var logits = m_.logits(z.z, a.z, rows);

    const Var kl_a = a.log_q + autograd::gaussian_nll(a.z, p_a.mean, p_a.log_var),
              kl_z = z.log_q - autograd::log_standard_normal(z.z);
    note(step, "a", q_a_), note(step, "z", q_z), note(step, "p_a", p_a);
    step.note("a", a.z), step.note("z", z.z);
    step.note("kl_a", kl_a), step.note("kl_z", kl_z), step.note("x_logits", logits);
    return {log_likelihood(x_, rows, logits, m_.config_.eps),
            kl_a + kl_z,
            z.z,
            logits,
            {{"a", q_a_.mean}, {"z", q_z.mean}}};
  }

  Sample shared_a(int64_t samples, const Step& step) override {
    if (!m_.config_.share_a) return {};
    return draw(q_a_, step.normal("a", {images_, samples}, m_.config_.a));
  }

  Var classify(int64_t samples, const Step& step, const Sample& shared_a) override {
    const Var a = shared_a.z.defined()
                      ? first_rows(shared_a.z, samples * images_.rows)
                      : sample(repeating(q_a_), step.normal("cls_a", {images_, samples}, m_.config_.a));
    step.note("cls_a", a), note(step, "cls_a", q_a_);
    return m_.classifier_.behind(m_.classifier_.first().onto(1, a, classifier_x_));
  }

 private:
  /// A draw for each row; or for each image and sample.
  Sample draw_a(const Rows& rows, const Step& step) {
    if (!m_.config_.share_a)
      return draw({rows.of_images(q_a_.mean), rows.of_images(q_a_.log_var)},
                  rows.normal(step, "a", m_.config_.a));
    const Sample a = rows.shared_a.z.defined() ? rows.shared_a : shared_a(rows.samples, step);
    if (rows.classes == 1) return a;
    const Var log_q = rows.of_samples(autograd::reshape(a.log_q, {-1, 1}));
    return {rows.of_samples(a.z), autograd::reshape(log_q, {rows.count()})};
  }

  Gaussian auxiliary_prior(const Var& z, const Rows& rows) const {
    const JoinedLinear& first = m_.aux_decoder_.first();
    if (m_.skip()) return m_.prior_without_x(z, rows);
    return m_.aux_decoder_.behind(first.onto(2, z, under_labels(aux_decoder_x_, rows, first.weights[1])));
  }

  const Adgm& m_;
  Gaussian q_a_;
  Var encoder_x_, classifier_x_, aux_decoder_x_;
};

Gaussian Adgm::prior_without_x(const Var& z, const Rows& rows) const {
  const JoinedLinear& first = aux_decoder_.first();
  return aux_decoder_.behind(add_labels(first(z), rows, first.weights[1]));
}

Var Adgm::logits(const Var& z, const Var& a, const Rows& rows) const {
  const JoinedLinear& first = decoder_.first();
  Var u = add_labels(first(z), rows, first.weights[1]);
  if (skip()) u = first.onto(2, a, u);
  return decoder_.behind(u);
}

std::unique_ptr<Model::Encoded> Adgm::encode(const Var& x, train::Share images) const {
  return std::make_unique<Inside>(*this, x, images);
}

Var Adgm::decode(const Var& z, const Rows& rows, const Step& step) const {
  if (!skip()) return logits(z, {}, rows);
  const Gaussian p_a = prior_without_x(z, rows);
  return logits(z, sample(p_a, step.normal("p_a", rows.noise(), config_.a)), rows);
}

}  // namespace vae::adgm
