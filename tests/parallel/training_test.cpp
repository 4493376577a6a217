// N ranks compute what one computes: every recipe, trained by all ranks together and by one alone.
#include "tests/parallel/training.h"

#include <gtest/gtest.h>

#include "tests/parallel/ranks.h"
#include "tests/report.h"

namespace vae::training_test {

using test::compare;
using test::Difference;
using test::DoublePrecision;
using test::is_single;
using test::Mistake;
using test::Result;
using test::train;
using test::world;

constexpr int kSteps = 20;
constexpr double kAllowed = 1e-9;  // relative difference

/// The ranks, but for gradients: the mean over the ranks of what each finds for the mean of its rows, in
/// batches of so many.
class MeanOfMeans : public test::World {
 public:
  explicit MeanOfMeans(int64_t batch) : batch_(batch) {}
  void start(const Tensor& sums) override {
    const int64_t rows = batch_ / size() + (rank() < batch_ % size() ? 1 : 0);
    const double factor = static_cast<double>(batch_) / static_cast<double>(rows * size());
    autograd::Var scaled = factor * autograd::Var(sums);
    sums.copy_from(scaled.value());
    World::start(sums);
  }

 private:
  int64_t batch_;
};

Difference difference_of(const test::NamedRecipe& named, parallel::Communicator& ranks = world(),
                         Mistake mistake = Mistake::none,
                         parallel::Statistics statistics = parallel::Statistics::global,
                         GraphMode graph = GraphMode::off, int steps = kSteps) {
  const Result alone = train(named, kCpu, GraphMode::off, steps);
  const parallel::Scope scope(ranks, statistics);
  return compare(train(named, kCpu, graph, steps, mistake), alone);
}

/// Fit takes batches that the ranks divide.
bool can_divide(const test::NamedRecipe& named) { return named.name != "fit" || 10 % world().size() == 0; }

TEST(Ranks, TrainAsOneDoes) {
  const DoublePrecision f64;
  double largest = 0, largest_single = 0;
  for (const test::NamedRecipe& named : test::recipes()) {
    if (!can_divide(named)) continue;
    const Difference d = difference_of(named);
    EXPECT_LT(d.largest, is_single(named) ? 1e-2 : kAllowed) << named.name << ": " << d.where;
    double& largest_of = is_single(named) ? largest_single : largest;
    largest_of = std::max(largest_of, d.largest);
  }
  if (world().first())
    test::report(
        fmt::format("ranks-{}", world().size()),
        fmt::format("{} ranks beside one, {} steps: parameters, statistics, moments and metrics within "
                    "{:.2g} in f64, {:.2g} where a recipe is of f32\n",
                    world().size(), kSteps, largest, largest_single));
}

// In shares of the set, of the same weights; means of the same numbers in another order.
TEST(Ranks, EvaluateAsOneDoes) {
  for (const test::NamedRecipe& named : test::recipes()) {
    if (!can_divide(named)) continue;
    const auto evaluated = [&] {
      const auto recipe = named.make(test::data_on(kCpu));
      test::scatter(recipe->model());
      train::Task task(*recipe, {.seed = 1});
      return Result{{}, task.evaluate()};
    };
    const Result alone = evaluated();
    const parallel::Scope scope(world());
    const Difference d = compare(evaluated(), alone);
    EXPECT_LT(d.largest, 1e-12) << named.name << ": " << d.where;
  }
}

/// A recipe of the list by its name.
test::NamedRecipe recipe_of(const std::string& name) {
  for (const test::NamedRecipe& named : test::recipes())
    if (named.name == name) return named;
  fail(ErrorKind::internal, "no recipe '{}'", name);
}

// What the comparison is for. Each mistake is one that a training on several ranks can make unnoticed.
TEST(Ranks, NoiseByTheRowsOfARankIsNoticed) {
  const DoublePrecision f64;
  for (const char* name : {"m1", "m2", "adgm", "ml_vae", "sym_vae", "shot_vae", "smooth_elbo"})
    EXPECT_GT(difference_of(recipe_of(name), world(), Mistake::noise_by_local_row).largest, kAllowed) << name;
}

TEST(Ranks, MeansOfMeansAreNoticed) {
  const DoublePrecision f64;
  for (const auto& [name, batch] : {std::pair{"m1", 10}, {"ml_vae", 10}, {"sym_vae", 10}, {"vae", 8}}) {
    MeanOfMeans ranks(batch);
    const double found = difference_of(recipe_of(name), ranks).largest;
    if (batch % world().size() == 0)
      EXPECT_LT(found, kAllowed) << name << ": of equal shares they are the mean";
    else
      EXPECT_GT(found, kAllowed) << name;
  }
}

TEST(Ranks, StatisticsOfARankAreNoticed) {
  const DoublePrecision f64;
  for (const char* name : {"m1", "ladder", "ml_vae, classifiers"})
    EXPECT_GT(difference_of(recipe_of(name), world(), Mistake::none, parallel::Statistics::local).largest,
              kAllowed)
        << name;
}

// As they are trained: f32, and the step replayed.
TEST(Ranks, TrainAsOneDoesInSinglePrecision) {
  double largest = 0;
  for (const test::NamedRecipe& named : test::recipes()) {
    // Which of two codes almost as near is the nearest, is a matter of rounding.
    if (!can_divide(named) || named.name == "shot_vae, nearest") continue;
    const Difference d =
        difference_of(named, world(), Mistake::none, parallel::Statistics::global, GraphMode::on, 6);
    EXPECT_LT(d.largest, 1e-3) << named.name << ": " << d.where;
    largest = std::max(largest, d.largest);
  }
  if (world().first()) std::cout << fmt::format("f32, 6 steps: {:.2g}\n", largest);
}

// At a fixed number of ranks a training repeats byte for byte, and all ranks have the same parameters.
TEST(Ranks, RepeatToTheBit) {
  const parallel::Scope scope(world());
  for (const test::NamedRecipe& named : test::recipes()) {
    if (!can_divide(named)) continue;
    const Result once = train(named, kCpu, GraphMode::off, 6), again = train(named, kCpu, GraphMode::on, 6);
    for (size_t i = 0; i < once.state.size(); ++i) {
      const auto& [name, values] = once.state[i];
      EXPECT_EQ(values, again.state[i].second) << named.name << ": " << name;
      const Tensor of_first = Tensor::from(values, {std::ssize(values)});
      world().broadcast(of_first, 0);
      EXPECT_EQ(values, to_doubles(of_first)) << named.name << ": " << name;
    }
  }
}

}  // namespace vae::training_test
