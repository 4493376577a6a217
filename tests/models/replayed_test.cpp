// Training tasks replayed from a recording: the same bits as step by step, on every device at hand. On the
// CPU work is recorded kernel by kernel, so a step that keeps something in host variables, or reads back,
// fails here without a GPU.
#include <gtest/gtest.h>

#include "models/m1_m2/recipe.h"
#include "models/ml_vae/classifier.h"
#include "models/ml_vae/recipe.h"
#include "nn/train/task.h"
#include "tests/numeric.h"

namespace vae {
namespace {

constexpr int64_t kImages = 40, kSide = 3, kClasses = 3;
constexpr int kSteps = 6;
static_assert(kSteps > StepGraph::kWarmUp + 2, "several replays");

train::ImageSet images_on(Device device) {
  std::vector<int64_t> labels(kImages);
  for (int64_t i = 0; i < kImages; ++i) labels[i] = i % kClasses;
  return {test::sample_tensor({kImages, kSide, kSide, 1}, DType::u8, device, 0, 256),
          Tensor::from(labels, {kImages}, device)};
}

train::Data data_on(Device device) {
  using train::item_range;
  return {images_on(device), images_on(device), kClasses, "few",
          {item_range(0, 15, device), item_range(15, 35, device), item_range(35, 40, device)}};
}

const m1_m2::NetConfig kNet{.hidden = {8, 5}, .dropout = 0.2};
const kernels::Schedule kRate = kernels::Schedule::decay(3e-4, kernels::Decay::cosine, kSteps, 2);

struct Result {
  std::vector<Tensor> state;
  train::Scalars losses;
  AllocatorStats warm, end;
};

Result run(train::Recipe& recipe, Device device, GraphMode mode) {
  train::Task task(recipe, {.seed = 1, .graph = mode});
  Result result;
  for (int i = 0; i < kSteps; ++i) {
    if (i == kSteps - 2) result.warm = allocator(device).stats();
    task.step();
  }
  result.end = allocator(device).stats();
  result.losses = task.drain();
  const nn::StateDict state = task.state();
  for (const auto& [name, tensor] : state.entries()) result.state.push_back(tensor.to(kCpu));
  return result;
}

Result run_m1(Device device, GraphMode graph) {
  m1_m2::M1Config config;
  config.x_size = kSide * kSide, config.z_size = 2;
  config.encoder = config.decoder_net = kNet;
  m1_m2::M1Recipe recipe({.model = config, .batch = 10, .rate = kRate}, data_on(device), {DType::f32, device, 1});
  return run(recipe, device, graph);
}

Result run_m2(Device device, GraphMode graph, m1_m2::M2Update update) {
  m1_m2::M2Config config;
  config.x_size = kSide * kSide, config.y_size = kClasses, config.z_size = 2;
  config.encoder_xy_z = config.encoder_x_y = config.decoder_net = kNet;
  m1_m2::M2Recipe recipe({.model = config,
                          .batch_labeled = 6,
                          .batch_unlabeled = 8,
                          .objective = {.update = update},
                          .rate = kRate},
                         data_on(device), {DType::f32, device, 1});
  return run(recipe, device, graph);
}

Result run_ml_vae(Device device, GraphMode graph) {
  ml_vae::MlVaeRecipe recipe({.model = {.x_size = kSide * kSide, .hidden = 8, .style_dim = 2, .class_dim = 2},
                              .batch = 10,
                              .reshuffle = true},
                             data_on(device), {DType::f32, device, 1});
  return run(recipe, device, graph);
}

Result run_classifiers(Device device, GraphMode graph) {
  const auto codes = [&](uint64_t stream) {
    return ml_vae::GaussianRows{test::sample_tensor({kImages, 2}, DType::f32, device, -1, 1, stream),
                                test::sample_tensor({kImages, 2}, DType::f32, device, -1, 1, stream + 1)};
  };
  ml_vae::ClassifierRecipe recipe({.batch = 10}, {codes(1), codes(3), images_on(device).labels}, kClasses,
                                  {DType::f32, device, 1});
  return run(recipe, device, graph);
}

void expect_equal(const Result& plain, const Result& replayed) {
  ASSERT_EQ(plain.state.size(), replayed.state.size());
  for (size_t i = 0; i < plain.state.size(); ++i)
    EXPECT_TRUE(test::same_bits(plain.state[i], replayed.state[i])) << "state " << i;
  ASSERT_EQ(plain.losses.size(), replayed.losses.size());
  for (size_t i = 0; i < plain.losses.size(); ++i) {
    EXPECT_TRUE(std::isfinite(plain.losses[i].value));
    EXPECT_EQ(plain.losses[i].value, replayed.losses[i].value) << plain.losses[i].name;
  }
  for (const Result* result : {&plain, &replayed})
    EXPECT_EQ(result->end.raw_allocations, result->warm.raw_allocations) << "a warm step allocates";
}

TEST(RecordedSteps, AreThoseOfThePlainRun) {
  using m1_m2::M2Update;
  for (const Device device : test::devices()) {
    SCOPED_TRACE(device.str());
    expect_equal(run_m1(device, GraphMode::off), run_m1(device, GraphMode::on));
    for (const M2Update update : {M2Update::separate, M2Update::joint})
      expect_equal(run_m2(device, GraphMode::off, update), run_m2(device, GraphMode::on, update));
    expect_equal(run_ml_vae(device, GraphMode::off), run_ml_vae(device, GraphMode::on));
    expect_equal(run_classifiers(device, GraphMode::off), run_classifiers(device, GraphMode::on));
  }
}

/// What the comparison is for: a step that counts on the host.
TEST(RecordedSteps, ACountOnTheHostIsNoticed) {
  for (const Device device : test::devices()) {
    const auto total = [&](GraphMode mode) {
      const Tensor sum = Tensor::scalar(0.0, device), term = Tensor::scalar(0.0, device);
      StepGraph graph(device, mode);
      double count = 0;
      for (int i = 0; i < kSteps; ++i)
        graph.run([&] {
          kernels::fill(term, ++count);
          kernels::sum(term, sum, kernels::Axis::all(1), 1, kernels::Write::add);
        });
      return sum.item();
    };
    EXPECT_EQ(total(GraphMode::off), 21);
    EXPECT_EQ(total(GraphMode::on), 1 + 2 + 4 * 3) << "every replay adds the recorded number";
  }
}

}  // namespace
}  // namespace vae
