#include "models/adgm/bound.h"

#include <cmath>

#include "autograd/ops_structure.h"

namespace vae::models::adgm {
namespace {

double log_uniform(const Config& c) { return std::log(1.0 / static_cast<double>(c.y_size) + c.eps); }

/// -log q(label), mean; through the logits where there is no eps.
Var classification_loss(const Var& logits, const Var& probabilities, const Var& y, double eps) {
  const Var log_q = eps > 0 ? autograd::log(probabilities, eps) : autograd::log_softmax(logits);
  return -autograd::mean(autograd::rowsum(kernels::Map::mul, {log_q, y}));
}

Tensor share_of_right(const Tensor& probabilities, const Tensor& y) {
  const int64_t rows = y.size(0);
  const Tensor predicted = Tensor::empty({rows}, DType::i64, y.device()),
               hits = Tensor::empty({rows}, y.dtype(), y.device());
  kernels::argmax(probabilities, predicted);
  kernels::pick(y, predicted, hits);
  const Tensor share = Tensor::empty(Shape{}, y.dtype(), y.device());
  kernels::sum(hits, share, kernels::Axis::all(rows), 1.0 / static_cast<double>(rows), kernels::Write::set);
  return share;
}

}  // namespace

Var bound(const Model& model, const Model::Terms& terms, const Rows& rows, const Var& beta, Sampler sampler,
          const Pass& pass) {
  const Config& c = model.config();
  const Var weighted = terms.log_px - terms.kl * beta;
  const Var elbo = has_labels(c.kind) ? weighted + log_uniform(c) : weighted;
  const int64_t n = rows.classes * rows.images;
  const Var inner = autograd::log_mean_exp(elbo, {sampler.mc, sampler.iw, n}, c.eps);
  const Var result =
      sampler.mc == 1 ? autograd::reshape(inner, {n}) : autograd::mean(inner, {1, sampler.mc, n});
  pass.note("elbo_rows", elbo), pass.note("bound_rows", result);
  return result;
}

SemiLosses semi_supervised_loss(const Model& model, const SemiBatch& batch, double alpha, Sampler sampler,
                                const Passes& passes) {
  const Config& c = model.config();
  const Pass labelled = passes("L"), unlabelled = passes("U"), classified = passes("C");
  SemiLosses losses;
  const auto x = model.look_at(Var(batch.x));
  const Rows rows_x{x->count(), 1, sampler.samples(), Var(batch.y)};
  losses.labelled = -autograd::mean(
      bound(model, x->terms(rows_x, labelled), rows_x, Var(batch.beta_labelled), sampler, labelled));

  const auto u = model.look_at(Var(batch.u));
  const Rows rows_u{u->count(), c.y_size, sampler.samples(), {}};
  const Var by_class =
      bound(model, u->terms(rows_u, unlabelled), rows_u, Var(batch.beta_unlabelled), sampler, unlabelled);
  const Var q = autograd::softmax(u->classify(1, unlabelled));
  const Var each = autograd::transpose(autograd::reshape(by_class, {c.y_size, rows_u.images}));
  const Var per_image = -autograd::weighted_bound(q, each, above_zero(c.eps));
  losses.unlabelled = autograd::mean(per_image);
  unlabelled.note("probs", q), unlabelled.note("U_rows", per_image);

  const Var logits = x->classify(1, classified), probabilities = autograd::softmax(logits);
  losses.classifier = classification_loss(logits, probabilities, Var(batch.y), c.eps);
  classified.note("probs", probabilities);
  losses.accuracy = share_of_right(probabilities.value(), batch.y);
  losses.total = losses.labelled + losses.unlabelled + alpha * losses.classifier;
  return losses;
}

Var unsupervised_loss(const Model& model, const Var& x, const Var& beta, const Pass& pass) {
  const auto images = model.look_at(x);
  const Model::Terms terms = images->terms({images->count(), 1, 1, {}}, pass);
  pass.note("loglik_rows", terms.log_px), pass.note("kl_rows", terms.kl);
  return -autograd::mean(terms.log_px - terms.kl * beta);
}

}  // namespace vae::models::adgm
