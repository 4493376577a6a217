#include "models/adgm/bound.h"

#include <cmath>

#include "nn/train/image_set.h"

namespace vae::adgm {
namespace {

double log_uniform(const Config& c) { return std::log(1.0 / static_cast<double>(c.y_size) + c.eps); }

/// 1 per row whose most probable class is its label, else 0.
Var hits(const Tensor& probabilities, const Var& one_hot) {
  return Var(autograd::pick(Var(one_hot.value()), train::most_probable(probabilities)).value());
}

/// The terms as numbers, for what is reported beside a loss.
Terms constants(Terms terms) {
  terms.log_px = Var(terms.log_px.value()), terms.kl = Var(terms.kl.value());
  return terms;
}

/// A weight of this iteration; undefined: always one.
Var weight(const kernels::Schedule& beta, const Step& step) {
  return beta.is_one() ? Var() : step.number("beta", beta);
}

Var weighted(const Var& x, const Var& weight) { return weight.defined() ? x * weight : x; }

/// `scale` times sum_k q(k|x) bound(x, k) + H(q) of each image, of bounds of rows of classes and images.
Var unlabeled_bound(const Var& bounds, const Rows& rows, const Var& q, const Config& c, double scale = 1) {
  const Var by_class = rows.counted ? rows.counted->among_zeros(bounds) : bounds;
  const Var each = autograd::transpose(autograd::reshape(by_class, {c.y_size, q.value().size(0)}));
  return autograd::weighted_bound(q, each, above_zero(c.eps), scale);
}

}  // namespace

Var bound(const Model& model, const Terms& terms, const Rows& rows, const Var& beta, Samples samples,
          const Step& step) {
  const Config& c = model.config();
  const Var elbo = autograd::add_scaled(terms.log_px, -1, weighted(terms.kl, beta),
                                        has_labels(c.kind) ? log_uniform(c) : 0.0);
  const int64_t n = rows.per_sample();
  const Var inner = autograd::log_mean_exp(elbo, {samples.mc, samples.iw, n}, c.eps);
  const Var result =
      samples.mc == 1 ? autograd::reshape(inner, {n}) : autograd::mean(inner, {1, samples.mc, n});
  step.note("elbo_rows", elbo), step.note("bound_rows", result);
  return result;
}

SemiLosses semi_supervised_loss(const Model& model, const SemiBatch& batch, const Objective& objective,
                                const Step& step) {
  const Config& c = model.config();
  const Step in_l = step.in("L"), in_u = step.in("U"), in_c = step.in("C");
  const Samples samples = objective.samples;
  SemiLosses losses;
  const auto x = model.encode(Var(batch.x), batch.labeled);
  Rows rows_x = labeled_rows(batch.labeled, batch.labels, c.y_size, batch.x.dtype(), samples.count());
  rows_x.shared_a = x->shared_a(rows_x.samples, in_l);
  const Terms terms_x = x->terms(rows_x, in_l);
  const Var bound_x = bound(model, terms_x, rows_x, weight(objective.beta_labeled, in_l), samples, in_l);
  losses.labeled = step.mean(bound_x, batch.labeled, -1);

  const auto u = model.encode(Var(batch.u), batch.unlabeled);
  Rows rows_u{batch.unlabeled, c.y_size, samples.count(), {}};
  rows_u.shared_a = u->shared_a(rows_u.samples, in_u);
  const Var q = autograd::softmax(u->classify(1, in_u, rows_u.shared_a));
  rows_u.counted = nn::rows_that_count(q.value(), objective.class_threshold);
  const Terms terms_u = u->terms(rows_u, in_u);
  const Var bound_u = bound(model, terms_u, rows_u, weight(objective.beta, in_u), samples, in_u);
  const Var per_image = unlabeled_bound(bound_u, rows_u, q, c, -1);
  losses.unlabeled = step.mean(per_image, batch.unlabeled);
  in_u.note("probs", q), in_u.note("U_rows", per_image);

  if (objective.is_weighted()) {
    const Step once_l = in_l.in("elbo"), once_u = in_u.in("elbo");
    losses.elbo_labeled =
        step.mean(bound(model, constants(terms_x), rows_x, {}, samples, once_l), batch.labeled);
    const Var once = bound(model, constants(terms_u), rows_u, {}, samples, once_u);
    losses.elbo_unlabeled = step.mean(unlabeled_bound(once, rows_u, Var(q.value()), c), batch.unlabeled);
  }

  const Var logits = x->classify(1, in_c, rows_x.shared_a), probabilities = autograd::softmax(logits);
  const Var log_q = c.eps > 0 ? autograd::log(probabilities, c.eps) : autograd::log_softmax(logits);
  losses.classifier = step.mean(autograd::pick(log_q, batch.labels), batch.labeled, -1);
  in_c.note("probs", probabilities);
  losses.accuracy = step.mean(hits(probabilities.value(), rows_x.labels), batch.labeled);
  losses.total = losses.labeled + losses.unlabeled + objective.alpha * losses.classifier;
  return losses;
}

UnsupervisedLosses unsupervised_loss(const Model& model, const Tensor& x, train::Share images,
                                     const Objective& objective, const Step& step) {
  const Terms terms = model.encode(Var(x), images)->terms({images, 1, 1, {}}, step);
  step.note("loglik_rows", terms.log_px), step.note("kl_rows", terms.kl);
  UnsupervisedLosses losses;
  const Var bound = autograd::add_scaled(terms.log_px, -1, weighted(terms.kl, weight(objective.beta, step)));
  losses.total = step.mean(bound, images, -1);
  if (objective.is_weighted())
    losses.elbo = step.mean(Var(terms.log_px.value()) - Var(terms.kl.value()), images);
  return losses;
}

}  // namespace vae::adgm
