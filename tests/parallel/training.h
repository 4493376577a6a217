#pragma once
// A recipe's training on several ranks, and how far it is from another one.
#include <gtest/gtest.h>

#include <cmath>

#include "nn/train/task.h"
#include "tests/models/recipes.h"

namespace vae::test {

/// How a training can go wrong on several ranks.
enum class Mistake { none, noise_by_local_row };

/// A recipe under test. Where asked for, its noise is that of a rank's rows as they stand.
class Tested : public train::Recipe {
 public:
  Tested(train::Recipe& inner, bool local_noise) : inner_(inner), local_noise_(local_noise) {}
  nn::Module& model() override { return inner_.model(); }
  nlohmann::json meta() const override { return inner_.meta(); }
  void add_state(nn::StateDict& state) override { inner_.add_state(state); }
  /// The gradients of a bias in front of a batch norm are rounding errors. Adam divides them by their own
  /// size, so they would not compare, unless its eps is above them.
  std::vector<train::Group> groups() override {
    std::vector<train::Group> groups = inner_.groups();
    for (train::Group& group : groups)
      if (auto* adam = std::get_if<nn::Adam::Settings>(&group.rule)) adam->rule.eps = 1e-2;
    return groups;
  }
  std::vector<train::Update> updates(const train::Step& step) override {
    if (!local_noise_) return inner_.updates(step);
    return inner_.updates(step.with_noise([=](const std::string& name, Shape shape, train::Draw draw) {
      const Tensor noise = Tensor::empty(shape, step.dtype(), step.device());
      const RandomKey key = step.key("noise/" + name);
      draw == train::Draw::normal ? kernels::random_normal(noise, key, step.draw(), {})
                                  : kernels::random_uniform(noise, key, step.draw(), {});
      return noise;
    }));
  }
  int64_t images_per_step() const override { return inner_.images_per_step(); }
  int64_t steps_per_pass() const override { return inner_.steps_per_pass(); }
  void prepare(int64_t iteration) override { inner_.prepare(iteration); }
  std::vector<int64_t> sizes(int64_t iteration) const override { return inner_.sizes(iteration); }
  std::vector<std::string> training_metrics() const override { return inner_.training_metrics(); }
  std::vector<std::string> reading_metrics() const override { return inner_.reading_metrics(); }
  std::vector<std::string> evaluation_metrics() const override { return inner_.evaluation_metrics(); }
  train::Scalars read() override { return inner_.read(); }
  train::Scalars evaluate(const train::Step& step) override { return inner_.evaluate(step); }
  void report(report::Summary& summary, const train::Step& step) override { inner_.report(summary, step); }

 private:
  train::Recipe& inner_;
  bool local_noise_;
};

/// Tensors by name, and what the metrics were.
struct Result {
  std::vector<std::pair<std::string, std::vector<double>>> state;
  train::Scalars metrics;
};

/// So many steps over the ranks of the current communicator.
inline Result train(const NamedRecipe& named, Device device, GraphMode graph, int steps,
                    Mistake mistake = Mistake::none) {
  const auto recipe = named.make(data_on(device));
  Tested tested(*recipe, mistake == Mistake::noise_by_local_row);
  train::Task task(tested, {.seed = 1, .graph = graph});
  for (int i = 0; i < steps; ++i) task.step();
  Result result;
  const nn::StateDict state = task.state();
  for (const auto& [name, tensor] : state.entries()) result.state.push_back({name, to_doubles(tensor)});
  for (const train::Scalar& reading : task.drain()) result.metrics.push_back(reading);
  return result;
}

struct Difference {
  static constexpr double kSmall = 1e-3;
  double largest = 0;  // relative to the largest element of a tensor, or to kSmall where that is less
  std::string where{};
  void see(double value, double expected, double scale, const std::string& name) {
    const double d = std::abs(value - expected) / std::max(scale, kSmall);
    if (!(d <= largest)) largest = d, where = name;
  }
};

/// Of everything that a checkpoint holds and every metric, beside those of a process alone.
inline Difference compare(const Result& result, const Result& expected) {
  Difference difference;
  if (result.state.size() != expected.state.size() || result.metrics.size() != expected.metrics.size())
    return {INFINITY, "another number of tensors or metrics"};
  for (size_t i = 0; i < result.state.size(); ++i) {
    const auto& [name, values] = result.state[i];
    const auto& wanted = expected.state[i].second;
    double scale = 0;
    for (const double x : wanted) scale = std::max(scale, std::abs(x));
    for (size_t k = 0; k < values.size(); ++k) difference.see(values[k], wanted[k], scale, name);
  }
  for (size_t i = 0; i < result.metrics.size(); ++i) {
    const double wanted = expected.metrics[i].value;
    difference.see(result.metrics[i].value, wanted, std::abs(wanted), expected.metrics[i].name);
  }
  return difference;
}

/// Whether a recipe is f32 whatever the others are.
inline bool is_single(const NamedRecipe& named) { return named.name == "fit" || named.name == "mnist-cnn"; }

/// Recipes are f64 while it lives, where they can be.
class DoublePrecision {
 public:
  DoublePrecision() { recipe_dtype = DType::f64; }
  ~DoublePrecision() { recipe_dtype = DType::f32; }
};

}  // namespace vae::test
