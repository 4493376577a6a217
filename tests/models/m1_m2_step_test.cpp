// Training steps of every variant of M1 and M2: no function without a case in the catalogue, no allocation
// once warm.
#include <gtest/gtest.h>

#include "autograd/catalogue.h"
#include "models/m1_m2/trainer.h"
#include "tensor/allocator.h"
#include "tests/numeric.h"

namespace vae::models {
namespace {

constexpr int64_t kRows = 6, kX = 8, kClasses = 3, kZ = 2, kSamples = 2;

Tensor uniform(Shape shape, uint64_t stream) {
  return test::sample_tensor(shape, DType::f32, kCpu, 0, 1, stream);
}

NetConfig net(std::string name, nn::Activation activation) {
  return {.name = std::move(name), .hidden = {5, 4}, .activation = activation, .dropout = 0.2};
}

/// Calls body with every combination of the common settings.
template <class Config, class Body>
void for_variants(const Body& body) {
  using nn::Activation;
  for (const Likelihood decoder : {Likelihood::bernoulli, Likelihood::gaussian})
    for (const bool norm_first : {true, false})
      for (const ZTerm term : {ZTerm::marginal, ZTerm::sampled})
        for (const Activation activation : {Activation::sigmoid, Activation::tanh, Activation::softplus,
                                            Activation::relu, Activation::leaky_relu, Activation::elu}) {
          Config config;
          config.decoder = decoder;
          config.batch_norm_before_activation = norm_first;
          config.p_z = config.q_z = term;
          config.x_size = kX;
          config.z_size = kZ;
          body(config, activation);
        }
}

M2Batch batch_of(int64_t unlabeled) {
  return {.x_labeled = uniform({kRows, kX}, 1),
          .labels = Tensor::from(std::vector<int64_t>{0, 1, 2, 2, 1, 0}, {kRows}),
          .x_unlabeled = uniform({unlabeled, kX}, 2),
          .eps_labeled = uniform({kRows, kZ}, 3),
          .eps_unlabeled = uniform({kClasses * unlabeled, kZ}, 4)};
}

void expect_finite(const Tensor& loss) { EXPECT_TRUE(std::isfinite(loss.item())); }

TEST(TrainingStep, RecordsNothingWithoutACase) {
  const autograd::OpObserver observer;
  for_variants<M1Config>([](M1Config config, nn::Activation activation) {
    config.encoder = net("encoder", activation);
    config.decoder_net = net("decoder", activation);
    M1 model(config, {});
    M1Trainer trainer(model, reference_adam(0));
    expect_finite(trainer.step(uniform({kRows, kX}, 1), uniform({kSamples, kRows, kZ}, 2)));
  });
  for_variants<M2Config>([](M2Config config, nn::Activation activation) {
    config.y_size = kClasses;
    config.encoder_x_y = net("encoder_x_y", activation);
    config.encoder_xy_z = net("encoder_xy_z", activation);
    config.decoder_net = net("decoder", activation);
    for (const ZTerms terms : {ZTerms::kl, ZTerms::explicit_terms})
      for (const M2Update update : {M2Update::separate, M2Update::joint})
        for (const int64_t unlabeled : {int64_t{0}, kRows}) {
          config.z_terms = terms;
          M2 model(config, {});
          M2Trainer trainer(model, update, 1, reference_adam(5));
          const M2Losses losses = trainer.step(batch_of(unlabeled));
          expect_finite(losses.labeled), expect_finite(losses.unlabeled), expect_finite(losses.classifier);
        }
  });
  EXPECT_GT(observer.names().size(), 20u) << "the observer saw the steps";
  EXPECT_EQ(autograd::uncovered_ops(observer.names(), autograd::catalogue()), std::vector<std::string>{});
}

TEST(TrainingStep, AllocatesNothingOnceWarm) {
  M1 m1({}, {});
  M1Trainer m1_trainer(m1, reference_adam(0));
  M2 m2({}, {});
  M2Trainer m2_trainer(m2, M2Update::separate, 1, reference_adam(5));
  const Tensor x = uniform({20, 784}, 1), eps = uniform({1, 20, 2}, 2);
  const M2Batch batch{.x_labeled = x,
                      .labels = Tensor::zeros({20}, DType::i64),
                      .x_unlabeled = x,
                      .eps_labeled = uniform({20, 50}, 3),
                      .eps_unlabeled = uniform({200, 50}, 4)};
  const auto steps = [&](int count) {
    for (int i = 0; i < count; ++i) m1_trainer.step(x, eps), m2_trainer.step(batch);
    return allocator(kCpu).stats();
  };
  const AllocatorStats warm = steps(2), later = steps(5);
  EXPECT_EQ(later.raw_allocations, warm.raw_allocations);
  EXPECT_EQ(later.live_bytes, warm.live_bytes) << "a step leaves nothing behind";
  EXPECT_EQ(later.peak_bytes, warm.peak_bytes);
}

}  // namespace
}  // namespace vae::models
