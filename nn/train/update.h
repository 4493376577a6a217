#pragma once
// What a recipe is made of: groups of parameters with their optimisers, and updates of them.
#include <functional>
#include <list>
#include <memory>
#include <optional>

#include "nn/optimizer.h"
#include "nn/train/reduction.h"

namespace vae::train {

using autograd::Var;

/// The learning rate of a group; a number on the device is one that the recipe owns, and writes.
using nn::Rate;

/// Parameters that one optimiser steps: those of a module. `average`: the decay of an exponential moving
/// average of them, updated behind each of their steps, which evaluations use (statistics of batch norm stay
/// those of the training); zero: none.
struct Group {
  std::string name;
  nn::Module* module = nullptr;
  nn::OptimizerSettings rule{};
  Rate rate{};
  double average = 0;
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
  /// `sums`: in which f32 gradients are added up over the ranks that are current.
  explicit Groups(const std::vector<Group>& groups, DType sums = DType::f32);

  /// Carries out an update in an iteration (an i64 scalar on the device). Parameters of other groups are
  /// constants meanwhile.
  void run(const Update& update, const Tensor& iteration);

  struct Entry {
    std::string name;
    nn::FlatParameters parameters;
    Reduction reduction;
    std::unique_ptr<nn::Optimizer> optimizer;
    Rate rate;
    std::optional<nn::WeightAverage> average{};
    Entry(const Group& group, DType sums);
  };
  /// Throws Error(internal) for an unknown name.
  Entry& at(const std::string& name);
  const std::vector<std::unique_ptr<Entry>>& all() const { return entries_; }
  /// Puts the averages of the groups that have any in the place of their parameters, for a scope.
  class Averaged {
   public:
    explicit Averaged(Groups& groups);

   private:
    std::list<nn::WeightAverage::Swapped> swapped_;
  };
  /// The same for good, at the end of a training.
  void use_averages();
  /// Moments and counters under "optimizer.NAME.", averages as "average.NAME". Brings moments together that
  /// ranks hold pieces of, so all ranks call it.
  void add_state(nn::StateDict& state) const;

 private:
  /// Walks back from the losses; parameters stay as they are meanwhile.
  void differentiate(const Update& update, const std::vector<Entry*>& stepped);
  std::vector<std::unique_ptr<Entry>> entries_;
  Tensor one_;  ///< where backward passes start
};

}  // namespace vae::train
