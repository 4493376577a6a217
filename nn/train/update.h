#pragma once
// What a recipe is made of: groups of parameters with their optimisers, and updates of them.
#include <functional>
#include <memory>
#include <optional>

#include "nn/optimizer.h"

namespace vae::train {

using autograd::Var;

/// Parameters that one optimiser steps: those of a module. `rate`: the learning rate by iteration; none: that
/// of the rule.
struct Group {
  std::string name;
  nn::Module* module = nullptr;
  nn::OptimizerSettings rule{};
  std::optional<kernels::Schedule> rate{};
};

/// One step of some groups (none named: of all) along the gradient of a loss. With several losses, each is
/// differentiated on its own and the gradients add up before the step. `after`: work with the parameters that
/// it leaves, statistics for instance, if any.
struct Update {
  std::vector<std::string> groups{};
  std::vector<std::function<Var()>> losses;
  std::function<void()> after{};
};

/// The groups of a recipe in flat buffers, and their optimisers.
class Groups {
 public:
  explicit Groups(const std::vector<Group>& groups);

  /// Carries out an update in an iteration (an i64 scalar on the device). Parameters of other groups are
  /// constants meanwhile.
  void run(const Update& update, const Tensor& iteration);

  struct Entry {
    std::string name;
    nn::FlatParameters parameters;
    std::unique_ptr<nn::Optimizer> optimizer;
    std::optional<kernels::Schedule> rate;
    explicit Entry(const Group& group);
  };
  /// Throws Error(internal) for an unknown name.
  Entry& at(const std::string& name);
  const std::vector<std::unique_ptr<Entry>>& all() const { return entries_; }
  /// Moments and counters under "optimizer.NAME.".
  void add_state(nn::StateDict& state) const;

 private:
  std::vector<std::unique_ptr<Entry>> entries_;
};

}  // namespace vae::train
