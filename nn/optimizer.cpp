#include "nn/optimizer.h"

#include <cmath>

#include "kernels/kernels.h"

namespace vae::nn {

Optimizer::Optimizer(FlatParameters& group, double learning_rate, Clip clip)
    : group_(group),
      learning_rate_(Tensor::scalar(learning_rate, group.values().device())),
      norm_squared_(Tensor::scalar(0.0, group.values().device())),
      clip_(clip) {
  if (!(learning_rate > 0)) fail(ErrorKind::usage, "learning rate {} is not positive", learning_rate);
  for (const double limit : {clip.norm, clip.element})
    if (!(limit >= 0)) fail(ErrorKind::usage, "gradient clip {} is negative", limit);
}

void Optimizer::step() {
  kernels::sum_squares(group_.take_gradients(), norm_squared_);
  update();
}

void Optimizer::set_learning_rate(double rate) { kernels::fill(learning_rate_, rate); }
void Optimizer::copy_learning_rate(const Tensor& rate) { learning_rate_.copy_from(rate); }
void Optimizer::schedule_learning_rate(const kernels::Schedule& schedule, const Tensor& iteration) {
  kernels::scheduled(iteration, learning_rate_, schedule);
}
double Optimizer::learning_rate() const { return learning_rate_.item(); }
double Optimizer::gradient_norm() const { return std::sqrt(norm_squared_.item()); }

void Optimizer::add_state(StateDict& state, const std::string& prefix) {
  state.add(prefix + ".learning_rate", learning_rate_);
}

namespace {

Tensor zeros_like(const Tensor& x) { return Tensor::zeros(x.shape(), x.dtype(), x.device()); }

}  // namespace

template <class Step>
Step Optimizer::common() const {
  Step step;
  step.parameter = group_.values();
  step.gradient = group_.gradients();
  step.learning_rate = learning_rate_;
  if (clip_.norm > 0) step.grad_norm_squared = norm_squared_;
  step.clip = clip_.norm;
  step.clip_elements = clip_.element;
  return step;
}

Adam::Adam(FlatParameters& group, Settings settings)
    : Optimizer(group, settings.learning_rate, settings.clip),
      rule_(settings.rule),
      m_(zeros_like(group.values())),
      v_(zeros_like(group.values())),
      t_(Tensor::scalar(int64_t{0}, group.values().device())) {}

void Adam::update() {
  kernels::increment(t_);
  auto step = common<kernels::AdamStep>();
  step.m = m_, step.v = v_, step.t = t_, step.rule = rule_;
  kernels::adam(step);
}

void Adam::add_state(StateDict& state, const std::string& prefix) {
  Optimizer::add_state(state, prefix);
  state.add(prefix + ".m", m_);
  state.add(prefix + ".v", v_);
  state.add(prefix + ".t", t_);
}

Sgd::Sgd(FlatParameters& group, Settings settings)
    : Optimizer(group, settings.learning_rate, settings.clip),
      rule_(settings.rule),
      velocity_(zeros_like(group.values())) {}

void Sgd::update() {
  auto step = common<kernels::SgdStep>();
  step.velocity = velocity_, step.rule = rule_;
  kernels::sgd(step);
}

void Sgd::add_state(StateDict& state, const std::string& prefix) {
  Optimizer::add_state(state, prefix);
  state.add(prefix + ".velocity", velocity_);
}

Adagrad::Adagrad(FlatParameters& group, Settings settings)
    : Optimizer(group, settings.learning_rate, settings.clip),
      rule_(settings.rule),
      sum_(zeros_like(group.values())) {
  if (!(settings.initial_sum >= 0))
    fail(ErrorKind::usage, "initial sum of squares {} is negative", settings.initial_sum);
  kernels::fill(sum_, settings.initial_sum);
}

void Adagrad::update() {
  auto step = common<kernels::AdagradStep>();
  step.sum = sum_, step.rule = rule_;
  kernels::adagrad(step);
}

void Adagrad::add_state(StateDict& state, const std::string& prefix) {
  Optimizer::add_state(state, prefix);
  state.add(prefix + ".sum", sum_);
}

std::unique_ptr<Optimizer> make_optimizer(FlatParameters& group, const OptimizerSettings& settings) {
  if (const auto* adam = std::get_if<Adam::Settings>(&settings)) return std::make_unique<Adam>(group, *adam);
  if (const auto* sgd = std::get_if<Sgd::Settings>(&settings)) return std::make_unique<Sgd>(group, *sgd);
  return std::make_unique<Adagrad>(group, std::get<Adagrad::Settings>(settings));
}

WeightAverage::WeightAverage(FlatParameters& group, double decay)
    : group_(group), decay_(decay), average_(group.values().clone()) {
  if (!(decay >= 0 && decay <= 1)) fail(ErrorKind::usage, "decay {} of an average outside [0, 1]", decay);
}

void WeightAverage::update() { kernels::moving_average(group_.values(), average_, decay_); }

void WeightAverage::swap() {
  const Tensor values = group_.values().clone();
  group_.values().copy_from(average_);
  average_.copy_from(values);
}

}  // namespace vae::nn
