#include "models/m1_m2/m2.h"

#include <cmath>

#include "nn/init.h"
#include "nn/train/image_set.h"

namespace vae::m1_m2 {
namespace {

/// What the published checkpoints call the map of z into the decoder.
const char* merged_name(const M2Config& c) { return c.decoder == LikelihoodKind::bernoulli ? "z" : "x"; }

}  // namespace

M2::M2(const M2Config& c, nn::Options options)
    : Module(options),
      config_(c),
      encoder_xy_z_(this, "encoder_xy_z", NetInput{c.x_size, c.y_size}, c.encoder_xy_z, c, c.z_size),
      encoder_x_y_(this, "encoder_x_y", NetInput{c.x_size}, c.encoder_x_y, c, c.y_size),
      decoder_(this, "decoder", NetInput{c.z_size, c.y_size, merged_name(c)}, c.decoder_net, c, c.x_size,
               c.decoder) {
  if (c.y_size < 1 || c.z_size < 1 || c.x_size < 1)
    fail(ErrorKind::usage, "M2 with {} inputs, {} classes and {} latent variables", c.x_size, c.y_size,
         c.z_size);
  nn::init_normal_fan_in(*this, c.weight_scale, options.seed);
}

Var M2::one_hot(const Tensor& labels) const {
  return Var(train::one_hot(labels, config_.y_size, options().dtype));
}

Var M2::labeled_bound(const Var& x, const Tensor& labels, train::Share batch, const train::Step& step) const {
  const nn::ShareOfBatch share(batch.places());
  const Var y = one_hot(labels);
  const Gaussian q = encode(x, y);
  step.note("mean_l", q.mean), step.note("log_var_l", q.log_var);
  const Var z = nn::sample(q, step.normal("eps_l", batch, config_.z_size));
  const Var result = bound(x, q, z, decode(z, y), config_, config_.z_terms, kM2LogVar, step, "_l",
                           std::log(1.0 / static_cast<double>(config_.y_size)));
  step.note("bound_l", result);
  return result;
}

Var M2::all_classes_bound(const Var& x, train::Share batch, const train::Step& step,
                          const nn::ClassRows* rows) const {
  const nn::ShareOfBatch share(batch.places());
  const bool codes_of_all = !rows || decoder_.mixes_rows();
  Var noise = step.normal("eps_u", {batch, config_.y_size}, config_.z_size);
  if (!codes_of_all) noise = autograd::gather_rows(noise, rows->rows);
  const Gaussian q = encoder_xy_z_.all_classes(x, true, codes_of_all ? nullptr : rows);
  step.note("mean_u", q.mean), step.note("log_var_u", q.log_var);
  const Var z = nn::sample(q, noise);
  const Likelihood p = decoder_.all_classes(z, false, rows);
  // What the bound takes of the codes where the decoder needs those of all rows.
  const auto counted = [&](const Var& code) {
    return rows && codes_of_all ? autograd::gather_rows(code, rows->rows) : code;
  };
  const Var per_row = bound(rows ? autograd::gather_rows(x, rows->images_of) : x,
                            {counted(q.mean), counted(q.log_var)}, counted(z), p, config_, config_.z_terms,
                            kM2LogVar, step, "_u", std::log(1.0 / static_cast<double>(config_.y_size)));
  const Var every = rows ? rows->among_zeros(per_row) : per_row;
  const Var result = autograd::transpose(autograd::reshape(every, {config_.y_size, batch.rows}));
  step.note("bound_u", result);
  return result;
}

Var M2::unlabeled_loss(const Var& x, train::Share batch, const train::Step& step,
                       double class_threshold) const {
  const nn::ShareOfBatch share(batch.places());
  const Var q = autograd::softmax(classify(x));
  const auto rows = nn::rows_that_count(q.value(), class_threshold);
  const Var bounds = all_classes_bound(x, batch, step, rows ? &*rows : nullptr);
  step.note("q_u", q);
  return step.mean(autograd::weighted_bound(q, bounds, 1e-6), batch, -1);
}

namespace {

Var bounds_loss(const M2& model, const M2Objective& objective, const M2Batch& batch,
                const train::Step& step) {
  const Var labeled = step.mean(model.labeled_bound(Var(batch.x_labeled), batch.labels, batch.labeled, step),
                                batch.labeled, -1);
  step.metric("loss_labeled", labeled);
  if (batch.unlabeled.total == 0) {
    step.metric("loss_unlabeled", Var(Tensor::zeros({}, step.dtype(), step.device())));
    return objective.labeled * labeled;
  }
  const Var unlabeled =
      model.unlabeled_loss(Var(batch.x_unlabeled), batch.unlabeled, step, objective.class_threshold);
  step.metric("loss_unlabeled", unlabeled);
  return objective.labeled * labeled + objective.unlabeled * unlabeled;
}

Var classifier_loss(const M2& model, double alpha, const M2Batch& batch, const train::Step& step) {
  const nn::ShareOfBatch share(batch.labeled.places());
  const Var logits = model.classify(Var(batch.x_labeled));
  step.note("cls_logits", logits);
  const Var loss =
      step.mean(autograd::pick(autograd::log_softmax(logits), batch.labels), batch.labeled, -alpha);
  step.metric("loss_classifier", loss);
  return loss;
}

}  // namespace

std::vector<train::Update> m2_updates(const M2& model, const M2Objective& objective, const M2Batch& batch,
                                      const train::Step& step) {
  if (!(objective.alpha >= 0)) fail(ErrorKind::usage, "alpha {} is negative", objective.alpha);
  const auto bounds = [=, &model] { return bounds_loss(model, objective, batch, step); };
  const auto classifier = [=, &model] { return classifier_loss(model, objective.alpha, batch, step); };
  const auto both = [=] {
    const Var total = bounds();  // first: gradients add up in a fixed order
    return total + classifier();
  };
  if (objective.update == M2Update::joint) return {{.losses = {both}}};
  return {{.losses = {bounds}}, {.groups = {"encoder_x_y"}, .losses = {classifier}}};
}

std::vector<train::Group> m2_groups(M2& model, const nn::Adam::Settings& adam,
                                    const kernels::Schedule& rate) {
  return {{"encoder_xy_z", &model.encoder_xy_z(), adam, rate},
          {"encoder_x_y", &model.encoder_x_y(), adam, rate},
          {"decoder", &model.decoder(), adam, rate}};
}

}  // namespace vae::m1_m2
