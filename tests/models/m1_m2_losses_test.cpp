// The losses of M1 and M2 by their definition: what the nets say of each row, put into the formulas.
#include <gtest/gtest.h>

#include "models/m1_m2/m2.h"
#include "tests/models/densities.h"
#include "tests/models/few.h"

namespace vae::m1_m2::m1_m2_losses_test {

constexpr int64_t kRows = 4, kX = 5, kZ = 2, kClasses = 3;

NetConfig net() { return {.hidden = {5, 4}}; }
Tensor inputs(uint64_t stream) { return test::sample_tensor({kRows, kX}, DType::f64, kCpu, 0, 1, stream); }
train::Step step() { return train::Step(11, Tensor::scalar(int64_t{0}), DType::f64); }
Tensor row_of(const Tensor& x, int64_t i) { return x.slice(i, i + 1); }
Tensor label(int64_t k) { return train::items_of({k}, kCpu); }

/// Calls body with every combination of decoder and terms.
template <class Config, class Body>
void for_terms(const Body& body) {
  for (const auto decoder : {LikelihoodKind::bernoulli, LikelihoodKind::gaussian})
    for (const auto p_z : {ZTerm::marginal, ZTerm::sampled})
      for (const auto q_z : {ZTerm::marginal, ZTerm::sampled}) {
        SCOPED_TRACE(fmt::format("decoder {} p {} q {}", static_cast<int>(decoder), static_cast<int>(p_z),
                                 static_cast<int>(q_z)));
        Config config;
        config.decoder = decoder, config.x_size = kX, config.z_size = kZ;
        config.p_z = p_z, config.q_z = q_z;
        body(config);
      }
}

/// A sample of q, a row.
Tensor sample_of(const Gaussian& q, const Tensor& noise) {
  const std::vector<double> mean = to_doubles(q.mean.value()), log_var = to_doubles(q.log_var.value());
  std::vector<double> z = to_doubles(noise);
  for (size_t d = 0; d < z.size(); ++d) z[d] = mean[d] + std::exp(0.5 * log_var[d]) * z[d];
  return test::tensor_of(z, {1, kZ}, DType::f64);
}

double log_px(const Tensor& x, const Likelihood& p, nn::LogVarRange range) {
  const std::vector<double> pixels = to_doubles(x);
  const auto* bits = std::get_if<nn::Bernoulli>(&p);
  const std::vector<double> first =
      to_doubles(bits ? bits->logits.value() : std::get<Gaussian>(p).mean.value());
  const std::vector<double> log_var = bits ? first : to_doubles(std::get<Gaussian>(p).log_var.value());
  double sum = 0;
  for (size_t i = 0; i < pixels.size(); ++i)
    sum += bits ? test::log_bernoulli(pixels[i], first[i])
                : test::log_normal(pixels[i], first[i], std::clamp(log_var[i], range.low, range.high));
  return sum;
}

/// log p(x|z) and what is added for z: -KL, or E log p(z) - E log q(z), or their values at the sample.
double bound_of(const Tensor& x, const Gaussian& q, const Tensor& sample, const Likelihood& p, bool closed_kl,
                const CommonConfig& config, nn::LogVarRange range) {
  const std::vector<double> mean = to_doubles(q.mean.value()), log_var = to_doubles(q.log_var.value()),
                            z = to_doubles(sample);
  double bound = log_px(x, p, range);
  for (size_t d = 0; d < kZ; ++d) {
    const double limited = std::clamp(log_var[d], range.low, range.high);
    if (closed_kl) {
      bound -= test::kl_normal(mean[d], log_var[d]);
      continue;
    }
    bound += config.p_z == ZTerm::sampled
                 ? test::log_normal(z[d])
                 : -0.5 * (std::log(2 * M_PI) + mean[d] * mean[d] + std::exp(log_var[d]));
    bound -= config.q_z == ZTerm::sampled ? test::log_normal(z[d], mean[d], limited)
                                          : -0.5 * (std::log(2 * M_PI) + 1 + log_var[d]);
  }
  return bound;
}

TEST(M1Loss, IsTheMeanOfItsDefinition) {
  for_terms<M1Config>([](M1Config config) {
    config.encoder = config.decoder_net = net();
    config.samples = 3;
    M1 model(config, {.dtype = DType::f64});
    test::scatter(model);
    model.set_training(false);
    const Tensor x = inputs(1), noise = step().normal("eps", {kRows, 3}, kZ).value();
    double sum = 0;
    for (int64_t l = 0; l < 3; ++l)
      for (int64_t b = 0; b < kRows; ++b) {
        const Gaussian q = model.encode(Var(row_of(x, b)));
        const Tensor z = sample_of(q, row_of(noise, l * kRows + b));
        sum += bound_of(row_of(x, b), q, z, model.decode(Var(z)), config.decoder == LikelihoodKind::bernoulli,
                        config, {});
      }
    EXPECT_NEAR(model.loss(x, kRows, step()).value().item(), -sum / (3 * kRows), 1e-11);
  });
}

TEST(M2Loss, BoundsAndObjectiveByTheirDefinition) {
  for (const auto terms : {ZTerms::kl, ZTerms::explicit_terms})
    for_terms<M2Config>([&](M2Config config) {
      config.y_size = kClasses, config.z_terms = terms;
      config.encoder_xy_z = config.encoder_x_y = config.decoder_net = net();
      M2 model(config, {.dtype = DType::f64});
      test::scatter(model);
      test::parameter_of(model, "encoder_xy_z.layer_output_var.bias")  // beyond the limits of log variances
          .value()
          .copy_from(test::tensor_of({4, -9}, {kZ}, DType::f64));
      model.set_training(false);
      const auto bound = [&](const Tensor& x, int64_t k, const Tensor& noise) {
        const Gaussian q = model.encode(Var(x), label(k));
        const Tensor z = sample_of(q, noise);
        return bound_of(x, q, z, model.decode(Var(z), label(k)), terms == ZTerms::kl, config,
                        {std::log(0.001), std::log(10)}) -
               std::log(kClasses);
      };
      const std::vector<int64_t> labels{2, 0, 1, 2};
      const Tensor x = inputs(1), u = inputs(2), noise_l = step().normal("eps_l", kRows, kZ).value(),
                   noise_u = step().normal("eps_u", {kRows, kClasses}, kZ).value();
      double labeled = 0, unlabeled = 0, classifier = 0;
      for (int64_t b = 0; b < kRows; ++b) {
        const int64_t k = labels[static_cast<size_t>(b)];
        labeled -= bound(row_of(x, b), k, row_of(noise_l, b)) / kRows;
        const auto log_q = [&](const Tensor& rows, int64_t of) {
          return to_doubles(
              autograd::log_softmax(model.classify(Var(row_of(rows, b)))).value())[static_cast<size_t>(of)];
        };
        classifier -= 2.5 * log_q(x, k) / kRows;
        for (int64_t c = 0; c < kClasses; ++c) {
          const double q = std::exp(log_q(u, c));
          unlabeled -=
              q * (bound(row_of(u, b), c, row_of(noise_u, c * kRows + b)) - std::log(q + 1e-6)) / kRows;
        }
      }
      const M2Objective objective{.update = M2Update::joint, .alpha = 2.5, .labeled = 0.7, .unlabeled = 0.3};
      const M2Batch batch{x, train::items_of(labels, kCpu), u, kRows, kRows};
      train::Notes notes;
      const auto updates = m2_updates(model, objective, batch, step().with_notes(notes));
      ASSERT_EQ(updates.size(), 1u);
      EXPECT_NEAR(updates[0].losses[0]().value().item(), 0.7 * labeled + 0.3 * unlabeled + classifier, 1e-11);
      EXPECT_NEAR(notes.at("loss_labeled").value().item(), labeled, 1e-11);
      EXPECT_NEAR(notes.at("loss_unlabeled").value().item(), unlabeled, 1e-11);
      EXPECT_NEAR(notes.at("loss_classifier").value().item(), classifier, 1e-11);
    });
}

}  // namespace vae::m1_m2::m1_m2_losses_test
