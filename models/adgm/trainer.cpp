#include "models/adgm/trainer.h"

namespace vae::models::adgm {

using autograd::Tape;

Trainer::Trainer(Model& model, const UpdateRule& rule) : model_(model), parameters_(model) {
  if (const auto* adam = std::get_if<nn::Adam::Settings>(&rule))
    optimizer_ = std::make_unique<nn::Adam>(parameters_, *adam);
  else
    optimizer_ = std::make_unique<nn::Adagrad>(parameters_, std::get<nn::Adagrad::Settings>(rule));
}

SemiLosses Trainer::step(const SemiBatch& batch, double alpha, Sampler sampler, const Passes& passes) {
  Tape tape;
  const SemiLosses losses = semi_supervised_loss(model_, batch, alpha, sampler, passes);
  parameters_.clear_gradients();
  tape.backward(losses.total);
  optimizer_->step();
  return losses;
}

Tensor Trainer::step(const Var& x, const Var& beta, const Pass& pass) {
  Tape tape;
  const Var loss = unsupervised_loss(model_, x, beta, pass);
  parameters_.clear_gradients();
  tape.backward(loss);
  optimizer_->step();
  return loss.value();
}

}  // namespace vae::models::adgm
