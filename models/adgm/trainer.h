#pragma once
// One optimiser over all parameters of a model.
#include <variant>

#include "models/adgm/bound.h"
#include "nn/optimizer.h"

namespace vae::models::adgm {

/// torch's Adam, or Adagrad.
using UpdateRule = std::variant<nn::Adam::Settings, nn::Adagrad::Settings>;

class Trainer {
 public:
  Trainer(Model& model, const UpdateRule& rule);

  /// One update; what the loss was made of, before it.
  SemiLosses step(const SemiBatch& batch, double alpha, Sampler sampler, const Passes& passes);
  Tensor step(const Var& x, const Var& beta, const Pass& pass);

  nn::Optimizer& optimizer() { return *optimizer_; }
  void add_state(train::StateDict& state) { optimizer_->add_state(state, "optimizer"); }

 private:
  Model& model_;
  nn::FlatParameters parameters_;
  std::unique_ptr<nn::Optimizer> optimizer_;
};

}  // namespace vae::models::adgm
