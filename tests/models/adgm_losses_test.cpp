// The losses of the ADGM family by their definition: the divergences of every model from what it notes of its
// Gaussians, the bound from its rows, the objective from the bounds.
#include <gtest/gtest.h>

#include "tests/models/adgm_models.h"
#include "tests/models/densities.h"
#include "tests/models/few.h"

namespace vae::adgm::adgm_losses_test {

std::unique_ptr<Model> trained(const Config& config) {
  auto model = make_model(config, {.dtype = DType::f64});
  test::scatter(*model);
  model->set_training(false);
  return model;
}

/// log N(z; NAME_mu, NAME_logvar) per row, whose Gaussians may stand for several rows; N(0, I) without a
/// name.
std::vector<double> log_densities(const train::Notes& notes, const std::string& z,
                                  const std::string& name = "") {
  const Tensor values = notes.at(z).value();
  const std::vector<double> at = to_doubles(values);
  std::vector<double> mean{0}, log_var{0};
  if (!name.empty())
    mean = to_doubles(notes.at(name + "_mu").value()),
    log_var = to_doubles(notes.at(name + "_logvar").value());
  std::vector<double> rows(static_cast<size_t>(values.size(0)));
  for (size_t i = 0; i < at.size(); ++i)
    rows[i * rows.size() / at.size()] +=
        test::log_normal(at[i], mean[i % mean.size()], log_var[i % log_var.size()]);
  return rows;
}

std::vector<double> operator-(std::vector<double> a, const std::vector<double>& b) {
  for (size_t i = 0; i < a.size(); ++i) a[i] -= b[i];
  return a;
}
std::vector<double> operator+(std::vector<double> a, const std::vector<double>& b) {
  for (size_t i = 0; i < a.size(); ++i) a[i] += b[i];
  return a;
}

/// What is subtracted from log p(x|.) in a row, by the latent variables of each kind.
std::vector<double> divergence(const Config& c, const train::Notes& n) {
  const auto q_z = [&](const char* z) { return log_densities(n, z, "z") - log_densities(n, z); };
  if (c.kind == Kind::adgm || c.kind == Kind::sdgm)
    return (log_densities(n, "a", "a") - log_densities(n, "a", "p_a")) + q_z("z");
  if (c.kind != Kind::ladder && c.kind != Kind::ladder_m2) return q_z("z");
  std::vector<double> sum = log_densities(n, "enc2_z", "enc2") - log_densities(n, "enc2_z");
  for (const std::string layer : {"dec0", "dec1"})
    sum = sum +
          (log_densities(n, layer + "_q_z", layer + "_q") - log_densities(n, layer + "_q_z", layer + "_p"));
  return sum;
}

TEST(AdgmLosses, TermsByTheirDefinition) {
  for (const Variant& variant : variants()) {
    SCOPED_TRACE(variant.name);
    const Config& c = variant.config;
    if (c.kind == Kind::gumbel || c.flows > 0) continue;
    const auto model = trained(c);
    const Tensor x = images(kUnlabelled, DType::f64, 2);
    const int64_t classes = has_labels(c.kind) ? kClasses : 1,
                  samples = classes > 1 ? variant.samples.count() : 1;
    train::Notes notes;
    const Rows rows{kUnlabelled, classes, samples, {}};
    const Terms terms = model->encode(Var(x))->terms(rows, fixed_step(DType::f64).with_notes(notes));
    if (!c.share_a) {  // else its draws are noted once per image
      EXPECT_LE(test::distance(to_doubles(terms.kl.value()), divergence(c, notes)), 1e-11);
    }
    const std::vector<double> pixels = to_doubles(x), logits = to_doubles(notes.at("x_logits").value());
    std::vector<double> log_px(static_cast<size_t>(rows.count()));
    for (size_t i = 0; i < logits.size(); ++i)
      log_px[i / kX] += test::log_bernoulli(pixels[i % pixels.size()], logits[i]);
    EXPECT_LE(test::distance(to_doubles(terms.log_px.value()), log_px), c.eps > 0 ? 1e-4 : 1e-12);
  }
}

/// log of the mean over iw, then the mean over mc, of rows sample, class, image.
std::vector<double> bounds(const std::vector<double>& elbo, Samples s) {
  const size_t n = elbo.size() / static_cast<size_t>(s.count());
  std::vector<double> result(n);
  for (size_t i = 0; i < n; ++i)
    for (int64_t m = 0; m < s.mc; ++m) {
      double weights = 0;
      for (int64_t w = 0; w < s.iw; ++w) weights += std::exp(elbo[static_cast<size_t>(m * s.iw + w) * n + i]);
      result[i] += std::log(weights / static_cast<double>(s.iw)) / static_cast<double>(s.mc);
    }
  return result;
}

// J = L + alpha CE + U, with betas of 0.7 and 0.8 (objective()), from the rows that the model gives.
TEST(AdgmLosses, ObjectiveByItsDefinition) {
  for (const Variant& variant : variants()) {
    SCOPED_TRACE(variant.name);
    const Config& c = variant.config;
    const auto model = trained(c);
    const Step step = fixed_step(DType::f64);
    const SemiBatch batch = semi_batch(DType::f64);
    const double tolerance = c.eps > 0 ? 1e-5 : 1e-11;
    const auto elbo = [&](const Terms& terms, double beta) {
      std::vector<double> rows = to_doubles(terms.log_px.value()), kl = to_doubles(terms.kl.value());
      for (size_t i = 0; i < rows.size(); ++i)
        rows[i] += -beta * kl[i] - (has_labels(c.kind) ? std::log(double(kClasses)) : 0);
      return rows;
    };
    if (!has_labels(c.kind)) {
      const Step in_f = step.in("F");
      double loss = 0;
      for (const double e : elbo(model->encode(Var(batch.u))->terms({kUnlabelled}, in_f), 0.8))
        loss -= e / kUnlabelled;
      EXPECT_NEAR(loss_of(*model, variant, DType::f64).value().item(), loss, tolerance);
      continue;
    }
    const auto x = model->encode(Var(batch.x)), u = model->encode(Var(batch.u));
    const int64_t samples = variant.samples.count();
    double labeled = 0, unlabeled = 0, classifier = 0, right = 0;
    Rows rows_x = labeled_rows(kLabelled, batch.labels, kClasses, DType::f64, samples);
    rows_x.shared_a = x->shared_a(samples, step.in("L"));
    for (const double b : bounds(elbo(x->terms(rows_x, step.in("L")), 0.7), variant.samples))
      labeled -= b / kLabelled;
    const Rows rows_u{kUnlabelled, kClasses, samples, {}, u->shared_a(samples, step.in("U"))};
    const auto by_class = bounds(elbo(u->terms(rows_u, step.in("U")), 0.8), variant.samples);
    const auto q = to_doubles(autograd::softmax(u->classify(1, step.in("U"), rows_u.shared_a)).value());
    for (size_t i = 0; i < q.size(); ++i) {
      const size_t image = i / kClasses, k = i % kClasses;
      unlabeled -= q[i] * (by_class[k * kUnlabelled + image] - std::log(q[i])) / kUnlabelled;
    }
    const auto log_q =
        to_doubles(autograd::log_softmax(x->classify(1, step.in("C"), rows_x.shared_a)).value());
    const auto labels = batch.labels.to_vector<int64_t>();
    for (size_t b = 0; b < kLabelled; ++b) {
      const auto row = log_q.begin() + static_cast<ptrdiff_t>(b * kClasses);
      classifier -= row[labels[b]] / kLabelled;
      right += (std::max_element(row, row + kClasses) - row == labels[b]) / double(kLabelled);
    }
    const SemiLosses losses = semi_supervised_loss(*model, batch, objective(variant), step);
    EXPECT_NEAR(losses.labeled.value().item(), labeled, tolerance);
    EXPECT_NEAR(losses.unlabeled.value().item(), unlabeled, tolerance);
    EXPECT_NEAR(losses.classifier.value().item(), classifier, tolerance);
    EXPECT_NEAR(losses.accuracy.value().item(), right, 1e-12);
    EXPECT_NEAR(losses.total.value().item(), labeled + 2.5 * classifier + unlabeled, tolerance);
  }
}

}  // namespace vae::adgm::adgm_losses_test
