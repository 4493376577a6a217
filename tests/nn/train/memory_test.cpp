// How much memory a training takes, and what is said where there is less.
#include "nn/train/memory.h"

#include <gtest/gtest.h>

#include "autograd/tape.h"
#include "nn/init.h"
#include "nn/layers.h"
#include "tensor/allocator.h"
#include "tensor/compare.h"
#include "tests/expect_error.h"
#include "tests/numeric.h"

namespace vae::train {
namespace {

struct Net : nn::Module {
  Net() : Module(nn::Options{}) { nn::init_where_zero(*this); }
  nn::Linear first{this, "first", 500, 400}, second{this, "second", 400, 300};
  nn::BatchNorm norm{this, "norm", 300};
  Var loss(int64_t batch) const {
    const Var x(test::sample_tensor({batch, 500}, DType::f32));
    return autograd::mean(autograd::square(norm(second(autograd::tanh(first(x))))));
  }
};

struct OfNet : Recipe {
  Net net;
  nn::Module& model() override { return net; }
  nlohmann::json meta() const override { return {}; }
  std::vector<Group> groups() override {
    return {{"first", &net.first, nn::Adam::Settings{}, {}, 0.9},
            {"second", &net.second, nn::Sgd::Settings{}}};
  }
  std::vector<Update> updates(const Step&) override { return {}; }
  int64_t images_per_step() const override { return 1; }
  int64_t steps_per_pass() const override { return 1; }
  std::vector<std::string> training_metrics() const override { return {}; }
  std::vector<std::string> evaluation_metrics() const override { return {}; }
  Scalars evaluate(const Step&) override { return {}; }
  void report(report::Summary&, const Step&) override {}
  std::optional<MemoryProbe> memory_probe() override {
    if (batch == 0) return {};
    return MemoryProbe{"batch", batch, [this](int64_t n) { return net.loss(n); }};
  }
  int64_t batch = 1000;
};

TEST(Memory, OfABatchIsWhatALargeOneTakes) {
  Net net;
  const auto loss = [&](int64_t batch) { return net.loss(batch); };
  const std::vector<double> before = to_doubles(net.norm.running_mean);
  const double estimate = activation_bytes(net, loss, 1000), twice = activation_bytes(net, loss, 2000);
  EXPECT_EQ(to_doubles(net.norm.running_mean), before);
  const size_t live = allocator(kCpu).stats().live_bytes;
  allocator(kCpu).reset_peak();
  {
    autograd::Tape tape;
    tape.backward(loss(1000));
  }
  const auto taken = static_cast<double>(allocator(kCpu).stats().peak_bytes - live);
  EXPECT_GT(taken, 1000 * 4 * (500 + 2 * 400 + 300)) << "input, layer, its activation, second layer";
  EXPECT_NEAR(estimate, taken, 0.1 * taken);
  EXPECT_NEAR(twice, 2 * taken, 0.2 * taken);
}

TEST(Memory, OfOptimisersCountsValuesGradientsMomentsAndAverages) {
  OfNet recipe;
  const double first = 500 * 400 + 400, second = 400 * 300 + 300;
  EXPECT_EQ(optimizer_bytes(recipe.groups()), 4 * (first * (2 + 2 + 1) + second * (2 + 1)));
}

TEST(Memory, OfWhichThereIsTooLittleIsSaidBeforeATraining) {
  OfNet recipe;
  const double needed = activation_bytes(
                            recipe.net, [&](int64_t n) { return recipe.net.loss(n); }, 1000) +
                        optimizer_bytes(recipe.groups());
  check_memory(recipe, needed + 1);
  check_memory(recipe, {});
  test::expect_error(ErrorKind::usage, "--batch 1000 needs about 0.0",
                     [&] { check_memory(recipe, needed - 1); });
  test::expect_error(ErrorKind::usage, " GB of memory, 0.005 GB are free: a smaller one fits",
                     [&] { check_memory(recipe, 5e6); });
  recipe.batch = 100;
  check_memory(recipe, needed - 1);
  recipe.batch = 0;
  check_memory(recipe, 1);
}

TEST(Memory, ThatIsFreeIsKnownOfTheHost) {
  const std::optional<double> free = free_bytes(kCpu);
  ASSERT_TRUE(free);
  EXPECT_GT(*free, 1e6);
  EXPECT_LT(*free, 1e14);
}

}  // namespace
}  // namespace vae::train
