#include "models/ml_vae/trainer.h"

namespace vae::models {

MlVaeTrainer::MlVaeTrainer(MlVae& model, const nn::Adam::Settings& settings)
    : model_(model), parameters_(model), adam_(parameters_, settings) {}

MlVaeLosses MlVaeTrainer::step(const Tensor& x, const Groups& groups, const MlVaeNoise& noise,
                               MlVaeTrace* trace) {
  autograd::Tape tape;
  const MlVaeLosses losses = model_.loss(Var(x), groups, noise, trace);
  parameters_.clear_gradients();
  tape.backward(losses.total);
  adam_.step();
  return losses;
}

}  // namespace vae::models
