// Training tasks replayed from a recording: the same bits as step by step, on every device at hand. On the
// CPU work is recorded kernel by kernel, so a step that keeps something in host variables, or reads back,
// fails here without a GPU.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "nn/train/task.h"
#include "tests/models/recipes.h"

namespace vae {
namespace {

constexpr int kSteps = 6;
static_assert(kSteps > StepGraph::kWarmUp + 2, "several replays");

struct Result {
  std::vector<Tensor> state;
  train::Scalars losses;
  AllocatorStats warm, end;
};

/// Steps until batches of every size have been seen so many times.
int64_t steps_of(const train::Recipe& recipe, int times) {
  constexpr int64_t kSizes = 50;  // iterations in which all sizes occur
  std::map<std::vector<int64_t>, int> seen;
  for (int64_t i = 0; i < kSizes; ++i) seen[recipe.sizes(i)] = 0;
  for (int64_t i = 0;; ++i) {
    if (std::ranges::all_of(seen, [&](const auto& size) { return size.second >= times; })) return i;
    ++seen[recipe.sizes(i)];
  }
}

Result run(train::Recipe& recipe, Device device, GraphMode mode) {
  train::Task task(recipe, {.seed = 1, .graph = mode});
  Result result;
  const int64_t warm = steps_of(recipe, kSteps - 2), steps = steps_of(recipe, kSteps);
  for (int64_t i = 0; i < steps; ++i) {
    if (i == warm) result.warm = allocator(device).stats();
    task.step();
  }
  result.end = allocator(device).stats();
  result.losses = task.drain();
  const nn::StateDict state = task.state();
  for (const auto& [name, tensor] : state.entries()) result.state.push_back(tensor.to(kCpu));
  return result;
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
  const auto rate = kernels::Schedule::decay(3e-4, kernels::Decay::cosine, kSteps, 2);
  for (const Device device : test::devices())
    for (const test::NamedRecipe& named : test::recipes_at(rate)) {
      SCOPED_TRACE(named.name + " on " + device.str());
      const auto result = [&](GraphMode mode) {
        return run(*named.make(test::data_on(device)), device, mode);
      };
      expect_equal(result(GraphMode::off), result(GraphMode::on));
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
