#include "models/m1_m2/trainer.h"

namespace vae::models {

using autograd::Tape;

void SubNets::add(std::string name, nn::Module& net, const nn::Adam::Settings& settings) {
  groups.push_back(std::make_unique<Group>(std::move(name), net, settings));
}

void SubNets::clear_gradients() {
  for (const auto& group : groups) group->parameters.clear_gradients();
}

void SubNets::step() {
  for (const auto& group : groups) group->adam.step();
}

void SubNets::schedule_learning_rate(double base, const nn::Schedule& schedule, const Tensor& counter) {
  for (const auto& group : groups) group->adam.schedule_learning_rate(base, schedule, counter);
}

void SubNets::add_state(train::StateDict& state) {
  for (const auto& group : groups) group->adam.add_state(state, "adam." + group->name);
}

nn::Adam::Settings reference_adam(double clip) {
  return {.learning_rate = 3e-4,
          .rule = {.beta1 = 0.9,
                   .beta2 = 0.999,
                   .eps = 1e-8,
                   .weight_decay = 0,
                   .form = kernels::AdamForm::chainer},
          .clip = clip};
}

M1Trainer::M1Trainer(M1& model, const nn::Adam::Settings& settings) : model_(model) {
  nets_.add("encoder", model.encoder(), settings);
  nets_.add("decoder", model.decoder(), settings);
}

Tensor M1Trainer::step(const Tensor& x, const Tensor& eps, M1Trace* trace) {
  Tape tape;
  const Var loss = model_.loss(Var(x), eps, trace);
  nets_.clear_gradients();
  tape.backward(loss);
  nets_.step();
  return loss.value();
}

M2Trainer::M2Trainer(M2& model, M2Update update, double alpha, const nn::Adam::Settings& settings,
                     BoundWeights weights)
    : model_(model), update_(update), alpha_(alpha), weights_(weights) {
  if (!(alpha >= 0)) fail(ErrorKind::usage, "alpha {} is negative", alpha);
  nets_.add("encoder_xy_z", model.encoder_xy_z(), settings);
  nets_.add("encoder_x_y", model.encoder_x_y(), settings);
  nets_.add("decoder", model.decoder(), settings);
}

M2Trainer::BoundLosses M2Trainer::bounds(const M2Batch& batch, M2Trace* trace) const {
  const Tensor& x = batch.x_labeled;
  const Tensor y = Tensor::empty({x.size(0), model_.config().y_size}, x.dtype(), x.device());
  kernels::one_hot(batch.labels, y);
  const M2Bound labeled = model_.labeled_bound(Var(x), Var(y), batch.eps_labeled);
  BoundLosses losses{.labeled = -autograd::mean(labeled.bound), .unlabeled = {}, .total = {}};
  if (batch.x_unlabeled.size(0) == 0) {
    losses.unlabeled = Var(Tensor::zeros({}, x.dtype(), x.device()));
    losses.total = weights_.labeled * losses.labeled;
    if (trace) trace->labeled = labeled;
    return losses;
  }
  const Var x_unlabeled(batch.x_unlabeled);
  const M2Bound unlabeled = model_.all_classes_bound(x_unlabeled, batch.eps_unlabeled);
  const Var q = autograd::softmax(model_.classify(x_unlabeled));
  losses.unlabeled = model_.unlabeled_loss(q, unlabeled.bound);
  losses.total = weights_.labeled * losses.labeled + weights_.unlabeled * losses.unlabeled;
  if (trace) trace->labeled = labeled, trace->unlabeled = unlabeled, trace->q = q;
  return losses;
}

Var M2Trainer::classifier_loss(const M2Batch& batch, M2Trace* trace) const {
  const Var logits = model_.classify(Var(batch.x_labeled));
  if (trace) trace->logits = logits;
  return alpha_ * autograd::cross_entropy(logits, batch.labels);
}

M2Losses M2Trainer::step(const M2Batch& batch, M2Trace* trace) {
  M2Losses losses;
  {
    Tape tape;
    const BoundLosses bound = bounds(batch, trace);
    losses = {bound.labeled.value(), bound.unlabeled.value(), {}};
    Var total = bound.total;
    if (update_ == M2Update::joint) {
      const Var classification = classifier_loss(batch, trace);
      losses.classifier = classification.value();
      total = total + classification;
    }
    nets_.clear_gradients();
    tape.backward(total);
    nets_.step();
  }
  if (trace && trace->after_bounds) trace->after_bounds();
  if (update_ == M2Update::separate) {
    Tape tape;
    const Var classification = classifier_loss(batch, trace);
    losses.classifier = classification.value();
    SubNets::Group& group = *nets_.groups[1];
    group.parameters.clear_gradients();
    tape.backward(classification);
    group.adam.step();
  }
  return losses;
}

}  // namespace vae::models
