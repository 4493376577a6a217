#pragma once
// Optimisers over a FlatParameters group. Step count and learning rate live on the device; the gradient norm
// never leaves it.
#include <memory>
#include <variant>

#include "kernels/optimizer.h"
#include "kernels/schedule.h"
#include "nn/flat_parameters.h"

namespace vae::nn {

/// How gradients are limited before a step: scaled by norm / |g| where the L2 norm |g| of the group exceeds
/// `norm`, then each component to [-element, element]; zero: not. A number alone is the norm.
struct Clip {
  double norm = 0, element = 0;
  Clip() = default;
  Clip(double by_norm, double by_element = 0) : norm(by_norm), element(by_element) {}
};

/// The learning rate of a step: that of before, or of the rule; a function of the iteration; or an f64 scalar
/// on the device.
using Rate = std::variant<std::monostate, kernels::Schedule, Tensor>;

/// One group and its learning rate on the device.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// One update from the gradients of the backward walk since clear_gradients(); they stay readable. Throws
  /// Error(usage) where there was none, or where a step has taken its gradients.
  void step();
  void set_learning_rate(double rate);
  double learning_rate() const;
  /// L2 norm of the gradients, before clipping; reads back from the device.
  double gradient_norm() const;
  /// Adds moments and counters to a checkpoint under "prefix.".
  virtual void add_state(StateDict& state, const std::string& prefix);
  /// What it remembers of each element, flat like the group's values.
  virtual std::vector<Tensor> moments() const = 0;

  /// An optimiser in a step of several, and its rate in it.
  struct Turn {
    Optimizer* optimizer;
    Rate rate{};
  };
  /// step() of several, those of one rule by one kernel; `iteration`, an i64 scalar on the device, is for
  /// schedules. Nothing is read back.
  static void step(const std::vector<Turn>& turns, const Tensor& iteration);

 protected:
  Optimizer(FlatParameters& group, double learning_rate, Clip clip);
  /// The steps of one update.
  struct Steps {
    std::vector<kernels::StepStart> starts{};
    std::vector<kernels::AdamStep> adam{};
    std::vector<kernels::SgdStep> sgd{};
    std::vector<kernels::AdagradStep> adagrad{};
  };
  /// Adds the steps of this optimiser's pieces; its start stands there, for the count of steps.
  virtual void add_to(Steps& steps) = 0;
  /// The fields that all steps of a piece share; the caller adds moments and rule.
  template <class Step>
  Step common(const parallel::Piece& piece) const;
  FlatParameters& group_;
  Tensor learning_rate_, norm_squared_;
  Clip clip_;
};

class Adam : public Optimizer {
 public:
  struct Settings {
    double learning_rate = 1e-3;
    kernels::AdamRule rule;
    Clip clip = {};
  };
  Adam(FlatParameters& group, Settings settings);
  void add_state(StateDict& state, const std::string& prefix) override;
  std::vector<Tensor> moments() const override { return {m_, v_}; }
  /// Moments, flat like the group's values, and the i64 step count.
  const Tensor& m() const { return m_; }
  const Tensor& v() const { return v_; }
  const Tensor& t() const { return t_; }

 private:
  void add_to(Steps& steps) override;
  kernels::AdamRule rule_;
  Tensor m_, v_, t_;
};

class Sgd : public Optimizer {
 public:
  struct Settings {
    double learning_rate = 1e-2;
    kernels::SgdRule rule;
    Clip clip = {};
  };
  Sgd(FlatParameters& group, Settings settings);
  void add_state(StateDict& state, const std::string& prefix) override;
  std::vector<Tensor> moments() const override { return {velocity_}; }

 private:
  void add_to(Steps& steps) override;
  kernels::SgdRule rule_;
  Tensor velocity_;
};

class Adagrad : public Optimizer {
 public:
  struct Settings {
    double learning_rate = 1e-2;
    kernels::AdagradRule rule;
    Clip clip = {};
    double initial_sum = 0;
  };
  Adagrad(FlatParameters& group, Settings settings);
  void add_state(StateDict& state, const std::string& prefix) override;
  std::vector<Tensor> moments() const override { return {sum_}; }

 private:
  void add_to(Steps& steps) override;
  kernels::AdagradRule rule_;
  Tensor sum_;
};

/// The rule of an optimiser with its constants, and an optimiser of it.
using OptimizerSettings = std::variant<Adam::Settings, Sgd::Settings, Adagrad::Settings>;
std::unique_ptr<Optimizer> make_optimizer(FlatParameters& group, const OptimizerSettings& settings);

/// Exponential moving average of a group's values, for evaluation with smoother weights: starts at the
/// present values; average += (1 - decay)(value - average) at each update().
class WeightAverage {
 public:
  WeightAverage(FlatParameters& group, double decay);
  void update();
  /// Exchanges the values of the group and the average; called again, it restores both.
  void swap();
  const Tensor& values() const { return average_; }
  void add_state(StateDict& state, const std::string& name) const { state.add(name, average_); }

  /// The average in the place of the values, for a scope.
  class Swapped {
   public:
    explicit Swapped(WeightAverage& average) : average_(average) { average_.swap(); }
    ~Swapped() { average_.swap(); }
    Swapped(const Swapped&) = delete;
    Swapped& operator=(const Swapped&) = delete;

   private:
    WeightAverage& average_;
  };

 private:
  FlatParameters& group_;
  double decay_;
  Tensor average_;
};

}  // namespace vae::nn
