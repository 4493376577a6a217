// The numbers of SHOT-VAE's objectives and its learning rate, epoch by epoch.
#include <gtest/gtest.h>

#include "tests/models/shot_vae_models.h"

namespace vae::shot_vae {
namespace {

double risen(int64_t epoch, int64_t epochs, double top) {
  const double missing = 1 - std::min(1.0, static_cast<double>(epoch) / static_cast<double>(epochs));
  return top * std::exp(-5 * missing * missing);
}

struct Weights {
  double target_z, target_y, beta_z, beta_y, elbo, distance, unlabeled;
};

Weights weights_at(const Objective& objective, int64_t iteration, int64_t epoch_length) {
  const Terms t(objective, epoch_length, step_of(iteration));
  const auto value = [](const Var& x) { return x.value().item(); };
  return {value(t.target_z), value(t.target_y), value(t.beta_z),   value(t.beta_y),
          value(t.elbo),     value(t.distance), value(t.unlabeled)};
}

void expect_weights(const Weights& actual, const Weights& expected) {
  const auto near = [](double a, double b) { EXPECT_NEAR(a, b, 1e-13 * std::abs(b)); };
  near(actual.target_z, expected.target_z), near(actual.target_y, expected.target_y);
  near(actual.beta_z, expected.beta_z), near(actual.beta_y, expected.beta_y);
  near(actual.elbo, expected.elbo);
  near(actual.distance, expected.elbo * expected.beta_z * expected.distance),
      near(actual.unlabeled, expected.unlabeled);
}

TEST(ShotVaeWeights, FollowTheEpoch) {
  constexpr int64_t kLength = 3;
  const auto check = [&](const Objective& o, const std::function<Weights(int64_t)>& expected) {
    for (const int64_t epoch : {0, 1, 149, 150, 199, 200, 239, 240, 281, 399, 400, 401, 650})
      for (const int64_t iteration : {epoch * kLength, epoch * kLength + kLength - 1}) {
        SCOPED_TRACE(fmt::format("iteration {}", iteration));
        expect_weights(weights_at(o, iteration, kLength), expected(epoch));
      }
  };
  const auto unboosted = [](int64_t e) -> Weights {
    return {0,
            risen(e, 200, 2.3),
            risen(e, 200, 1e-3),
            risen(e, 200, 1e-3),
            risen(e, 400, 1e-3),
            risen(e, 200, 1),
            risen(e, 240, 1)};
  };
  check(reference_objective(Method::shot, "cifar10", 600, 400, 0.1), [](int64_t e) -> Weights {
    return {0,
            risen(e, 200, 2.3),
            risen(e, 200, 1e-3),
            risen(e, 200, 1e-3),
            (e > 400 ? 5 : 1) * risen(e, 400, 1e-3),
            risen(e, 200, 1),
            risen(e, 240, 1)};
  });
  check(reference_objective(Method::shot, "cifar10", 600, 400, 0.04), unboosted);
  check(reference_objective(Method::shot, "cifar100", 700, 500, 0.1), [](int64_t e) -> Weights {
    return {0,
            risen(e, 150, 4.6),
            risen(e, 150, 1e-3),
            risen(e, 150, 1e-3),
            risen(e, 400, 1e-3),
            risen(e, 400, 1),
            risen(e, 280, 1)};
  });
  check(reference_objective(Method::shot, "svhn", 600, 400, 0.1), unboosted);
  check(reference_objective(Method::m2, "cifar10", 600, 400, 0.1), [](int64_t e) -> Weights {
    return {risen(e, 200, 200),  risen(e, 200, 2.3), risen(e, 200, 1e-3), risen(e, 200, 1e-3),
            risen(e, 400, 1e-3), risen(e, 200, 1),   risen(e, 240, 1)};
  });
  check(reference_objective(Method::m2, "cifar100", 700, 500, 0.1), [](int64_t e) -> Weights {
    return {risen(e, 200, 1280), risen(e, 200, 4.6), risen(e, 200, 1e-3), risen(e, 200, 1e-3),
            risen(e, 400, 1e-3), risen(e, 200, 1),   risen(e, 280, 1)};
  });
  check(reference_objective(Method::m2, "svhn", 600, 400, 0.1), [](int64_t e) -> Weights {
    return {0,
            0,
            risen(e, 200, 1e-3),
            risen(e, 200, 1e-3),
            risen(e, 400, 1e-3),
            risen(e, 200, 1),
            risen(e, 240, 1)};
  });
}

TEST(ShotVaeWeights, ARateDropsInTheEpochBehindItsMilestone) {
  constexpr int64_t kLength = 3;
  const auto check = [](const LearningRate& rate, int64_t epoch, double expected) {
    const kernels::Schedule schedule = rate.schedule(kLength);
    for (const int64_t iteration : {epoch * kLength, epoch * kLength + kLength - 1})
      EXPECT_NEAR(schedule.at(iteration), expected, 1e-15) << "epoch " << epoch;
  };
  const LearningRate rate;
  check(rate, 0, 0.02), check(rate, 1, 0.1), check(rate, 400, 0.1), check(rate, 401, 0.01);
  check(rate, 500, 0.01), check(rate, 501, 0.001), check(rate, 550, 0.001), check(rate, 551, 1e-4);
  check(rate, 9999, 1e-4);
  const LearningRate of_classifier{.start = 0.1, .factor = 0.2, .drops = {300, 350, 400}};
  check(of_classifier, 0, 0.02), check(of_classifier, 300, 0.1), check(of_classifier, 301, 0.02);
  check(of_classifier, 351, 0.004), check(of_classifier, 401, 8e-4);
  check({.start = 0.5, .factor = 0.1, .drops = {}}, 0, 0.1);
  check({.start = 0.5, .factor = 0.1, .drops = {}}, 700, 0.5);
  check({.start = 0.5, .factor = 0.1, .drops = {0}}, 1, 0.05);
  check({.start = 1, .factor = 0.5, .drops = {1, 2, 3, 4, 5, 6}}, 9, 1.0 / 64);
}

}  // namespace
}  // namespace vae::shot_vae
