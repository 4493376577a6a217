// Training steps of every variant of M1 and M2: no function without a case in the catalogue, no allocation
// once warm.
#include <gtest/gtest.h>

#include "models/m1_m2/m2.h"
#include "tensor/allocator.h"
#include "tests/autograd/cases/catalogue.h"
#include "tests/numeric.h"

namespace vae::m1_m2::m1_m2_step_test {

constexpr int64_t kRows = 6, kX = 8, kClasses = 3, kZ = 2;

Tensor uniform(Shape shape, uint64_t stream) {
  return test::sample_tensor(shape, DType::f32, kCpu, 0, 1, stream);
}

NetConfig net(kernels::Activation activation) {
  return {.hidden = {5, 4}, .activation = activation, .dropout = 0.2};
}

/// Calls body with every combination of the common settings.
template <class Config, class Body>
void for_variants(const Body& body) {
  for (const LikelihoodKind decoder : {LikelihoodKind::bernoulli, LikelihoodKind::gaussian})
    for (const bool norm_first : {true, false})
      for (const ZTerm term : {ZTerm::marginal, ZTerm::sampled})
        for (const std::string_view name : kernels::activation_names()) {
          Config config;
          config.decoder = decoder;
          config.batch_norm_before_activation = norm_first;
          config.p_z = config.q_z = term;
          config.x_size = kX;
          config.z_size = kZ;
          body(config, kernels::parse_activation(name));
        }
}

train::Step step_of(int64_t iteration) { return train::Step(1, Tensor::scalar(iteration)); }

M2Batch batch_of(int64_t unlabeled) {
  return {uniform({kRows, kX}, 1), Tensor::from(std::vector<int64_t>{0, 1, 2, 2, 1, 0}, {kRows}),
          uniform({unlabeled, kX}, 2), kRows, unlabeled};
}

/// An update whose loss must be finite.
train::Update checked(train::Update update) {
  for (auto& loss : update.losses)
    loss = [inner = loss] {
      const Var value = inner();
      EXPECT_TRUE(std::isfinite(value.value().item()));
      return value;
    };
  return update;
}

TEST(TrainingStep, RecordsNothingWithoutACase) {
  const autograd::OpObserver observer;
  for_variants<M1Config>([](M1Config config, kernels::Activation activation) {
    config.encoder = config.decoder_net = net(activation);
    config.samples = 2;
    M1 model(config, {});
    train::Groups groups({{"model", &model, reference_adam(0), {}}});
    groups.run(checked({{}, {[&] { return model.loss(uniform({kRows, kX}, 1), kRows, step_of(0)); }}}),
               step_of(0).iteration());
  });
  for_variants<M2Config>([](M2Config config, kernels::Activation activation) {
    config.y_size = kClasses;
    config.encoder_x_y = config.encoder_xy_z = config.decoder_net = net(activation);
    for (const ZTerms terms : {ZTerms::kl, ZTerms::explicit_terms})
      for (const M2Update update : {M2Update::separate, M2Update::joint})
        for (const int64_t unlabeled : {int64_t{0}, kRows}) {
          config.z_terms = terms;
          M2 model(config, {});
          train::Groups groups(m2_groups(model, reference_adam(5), kernels::Schedule::constant(3e-4)));
          for (train::Update& u : m2_updates(model, {.update = update}, batch_of(unlabeled), step_of(0)))
            groups.run(checked(u), step_of(0).iteration());
        }
  });
  EXPECT_GT(observer.names().size(), 20u) << "the observer saw the steps";
  EXPECT_EQ(autograd::uncovered_ops(observer.names(), autograd::catalogue()), std::vector<std::string>{});
}

TEST(TrainingStep, AllocatesNothingOnceWarm) {
  M1 m1({}, {});
  train::Groups of_m1({{"model", &m1, reference_adam(0), {}}});
  M2 m2({}, {});
  train::Groups of_m2(m2_groups(m2, reference_adam(5), kernels::Schedule::constant(3e-4)));
  const Tensor x = uniform({20, 784}, 1), labels = Tensor::zeros({20}, DType::i64);
  const train::Step step = step_of(3);
  const auto steps = [&](int count) {
    for (int i = 0; i < count; ++i) {
      of_m1.run({{}, {[&] { return m1.loss(x, 20, step); }}}, step.iteration());
      for (const train::Update& update : m2_updates(m2, {}, {x, labels, x, 20, 20}, step))
        of_m2.run(update, step.iteration());
    }
    return allocator(kCpu).stats();
  };
  const AllocatorStats warm = steps(2), later = steps(5);
  EXPECT_EQ(later.raw_allocations, warm.raw_allocations);
  EXPECT_EQ(later.live_bytes, warm.live_bytes) << "a step leaves nothing behind";
  EXPECT_EQ(later.peak_bytes, warm.peak_bytes);
}

}  // namespace vae::m1_m2::m1_m2_step_test
