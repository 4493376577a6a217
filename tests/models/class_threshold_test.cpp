// Bounds summed over classes of which the improbable ones are left out: loss and gradients are those of all
// rows, computed, with these bounds as zeros.
#include <gtest/gtest.h>

#include "models/m1_m2/m2.h"
#include "tests/models/adgm_models.h"
#include "tests/models/few.h"

namespace vae::class_threshold_test {

using autograd::Var;

constexpr double kThreshold = 0.3;  // leaves out rows of most images of three classes

struct Result {
  double loss = 0;
  std::vector<std::vector<double>> gradients;
};

/// A loss and its gradients, zeros where there are none.
Result differentiated(const nn::Module& model, const std::function<Var()>& loss) {
  autograd::Tape tape;
  const Var value = loss();
  tape.backward(value);
  Result result{value.value().item(), {}};
  for (const nn::Module::Parameter& p : model.parameters()) {
    result.gradients.push_back(p.var.has_grad() ? to_doubles(p.var.grad())
                                                : std::vector<double>(p.var.value().numel()));
    Var(p.var).clear_grad();
  }
  return result;
}

/// 1 where a weight counts, else 0; there must be some of both.
Var counted(const Var& q) {
  std::vector<double> mask = to_doubles(q.value());
  for (double& weight : mask) weight = weight >= kThreshold ? 1 : 0;
  const auto ones = std::ranges::count(mask, 1.0);
  EXPECT_GT(ones, 0);
  EXPECT_LT(ones, static_cast<int64_t>(mask.size()) * 9 / 10);
  return Var(test::tensor_of(mask, q.shape(), q.value().dtype()));
}

void expect_same(const Result& a, const Result& b) {
  EXPECT_NEAR(a.loss, b.loss, 1e-10);
  ASSERT_EQ(a.gradients.size(), b.gradients.size());
  double largest = 0;
  for (size_t i = 0; i < a.gradients.size(); ++i) {
    EXPECT_LE(test::distance(a.gradients[i], b.gradients[i]), 1e-10) << "parameter " << i;
    for (const double g : a.gradients[i]) largest = std::max(largest, std::abs(g));
  }
  EXPECT_GT(largest, 0.01);
}

// ---- M2

constexpr int64_t kRows = 6, kX = 5, kClasses = 3;

m1_m2::M2Config m2_config(bool encoder_norm, bool decoder_norm) {
  m1_m2::M2Config c;
  c.x_size = kX, c.y_size = kClasses, c.z_size = 2;
  for (m1_m2::NetConfig* net : {&c.encoder_xy_z, &c.encoder_x_y, &c.decoder_net}) net->hidden = {5, 4};
  c.encoder_xy_z.batch_norm = c.encoder_xy_z.batch_norm_to_input = encoder_norm;
  c.decoder_net.batch_norm = c.decoder_net.batch_norm_to_input = decoder_norm;
  return c;
}

void check_m2(const m1_m2::M2Config& config) {
  const Var x(test::sample_tensor({kRows, kX}, DType::f64, kCpu, 0, 1, 1));
  const train::Step step(11, Tensor::scalar(int64_t{0}), DType::f64);
  const auto result = [&](const auto& loss) {
    m1_m2::M2 model(config, {.dtype = DType::f64});  // a new one: norms and dropout have a state
    test::scatter(model, 1.5);
    return differentiated(model, [&] { return loss(model); });
  };
  expect_same(result([&](const m1_m2::M2& m) { return m.unlabeled_loss(x, kRows, step, kThreshold); }),
              result([&](const m1_m2::M2& m) {
                const Var q = autograd::softmax(m.classify(x));
                const nn::ShareOfBatch share(kernels::Rows{});
                const Var bounds = m.all_classes_bound(x, kRows, step) * counted(q);
                return step.mean(autograd::weighted_bound(q, bounds, 1e-6), kRows, -1);
              }));
}

TEST(ClassThreshold, M2) {
  for (const bool encoder_norm : {false, true})
    for (const bool decoder_norm : {false, true})
      for (const auto terms : {m1_m2::ZTerms::kl, m1_m2::ZTerms::explicit_terms}) {
        SCOPED_TRACE(fmt::format("norms {} {}", encoder_norm, decoder_norm));
        m1_m2::M2Config config = m2_config(encoder_norm, decoder_norm);
        config.z_terms = terms;
        config.q_z = m1_m2::ZTerm::sampled;
        check_m2(config);
        config.decoder = nn::LikelihoodKind::gaussian;
        check_m2(config);
        config.batch_norm_before_activation = false;
        check_m2(config);
      }
}

TEST(ClassThreshold, M2WithDropout) {
  m1_m2::M2Config config = m2_config(false, false);
  config.decoder_net.dropout = 0.4;
  check_m2(config);
  config.encoder_xy_z.dropout = 0.4;
  check_m2(config);
}

// What is left out is less than f32 rounds: with the default threshold the losses of a decided classifier
// agree.
TEST(ClassThreshold, LeavesOutLessThanARounding) {
  const m1_m2::M2Config config = m2_config(false, true);
  const Var x(test::sample_tensor({kRows, kX}, DType::f32, kCpu, 0, 1, 1));
  const train::Step step(11, Tensor::scalar(int64_t{0}));
  const auto loss = [&](double threshold, DType dtype) {
    m1_m2::M2 model(config, {.dtype = dtype});
    test::scatter(model, 1.5);
    const Var weight = test::parameter_of(model, "encoder_x_y.layer_2.weight");
    const Tensor larger = (40 * Var(weight.value())).value();
    weight.value().copy_from(larger);
    const Tensor q = autograd::softmax(model.classify(x)).value();
    EXPECT_TRUE(nn::rows_that_count(q, nn::kNegligibleWeight));
    return model.unlabeled_loss(x, kRows, step, threshold).value().item();
  };
  const double exact = loss(0, DType::f32);
  EXPECT_NEAR(loss(nn::kNegligibleWeight, DType::f32), exact, 2e-6 * std::abs(exact));
}

// ---- the ADGM family

TEST(ClassThreshold, AdgmFamily) {
  using namespace adgm;
  for (const Variant& variant : variants()) {
    if (!has_labels(variant.config.kind)) continue;
    SCOPED_TRACE(variant.name);
    const Config& c = variant.config;
    const SemiBatch batch = semi_batch(DType::f64);
    const Step step = fixed_step(DType::f64);
    Objective objective = adgm::objective(variant);
    objective.class_threshold = kThreshold;
    const auto result = [&](const auto& loss) {
      const auto model = make_model(c, {.dtype = DType::f64});
      test::scatter(*model);
      return differentiated(*model, [&] { return loss(*model); });
    };
    expect_same(
        result([&](const Model& m) { return semi_supervised_loss(m, batch, objective, step).unlabeled; }),
        result([&](const Model& m) {
          const Step in_u = step.in("U");
          const auto u = m.encode(Var(batch.u), batch.unlabeled);
          Rows rows{batch.unlabeled, c.y_size, variant.samples.count(), {}};
          rows.shared_a = u->shared_a(rows.samples, in_u);
          const Var q = autograd::softmax(u->classify(1, in_u, rows.shared_a));
          const Var beta = in_u.number("beta", objective.beta);
          const Var bounds = bound(m, u->terms(rows, in_u), rows, beta, variant.samples, in_u);
          const Var by_image = autograd::transpose(autograd::reshape(bounds, {c.y_size, kUnlabelled}));
          return step.mean(autograd::weighted_bound(q, by_image * counted(q), above_zero(c.eps)),
                           batch.unlabeled, -1);
        }));
  }
}

}  // namespace vae::class_threshold_test
