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

void Optimizer::step() { step({{this}}, {}); }

void Optimizer::step(const std::vector<Turn>& turns, const Tensor& iteration) {
  Steps steps;
  for (const auto& [optimizer, rate] : turns) {
    const Tensor& gradients = optimizer->group_.take_gradients();
    kernels::StepStart& start = steps.starts.emplace_back();
    start.learning_rate = optimizer->learning_rate_;
    if (const auto* schedule = std::get_if<kernels::Schedule>(&rate))
      start.schedule = *schedule, start.iteration = iteration;
    if (const auto* number = std::get_if<Tensor>(&rate)) start.rate = *number;
    if (optimizer->clip_.norm > 0) start.gradient = gradients, start.norm_squared = optimizer->norm_squared_;
    optimizer->add_to(steps);
  }
  kernels::start_steps(steps.starts);
  if (!steps.adam.empty()) kernels::adam(steps.adam);
  if (!steps.sgd.empty()) kernels::sgd(steps.sgd);
  if (!steps.adagrad.empty()) kernels::adagrad(steps.adagrad);
}

void Optimizer::set_learning_rate(double rate) { kernels::fill(learning_rate_, rate); }
double Optimizer::learning_rate() const { return learning_rate_.item(); }

double Optimizer::gradient_norm() const {
  const Tensor squared = Tensor::empty({}, DType::f64, learning_rate_.device());
  kernels::sum_squares(group_.gradients(), squared);
  return std::sqrt(squared.item());
}

void Optimizer::add_state(StateDict& state, const std::string& prefix) {
  state.add(prefix + ".learning_rate", learning_rate_);
}

namespace {

Tensor zeros_like(const Tensor& x) { return Tensor::zeros(x.shape(), x.dtype(), x.device()); }

}  // namespace

template <class Step>
Step Optimizer::common(const parallel::Piece& piece) const {
  Step step;
  step.parameter = piece.of(group_.values());
  step.gradient = piece.of(group_.gradients());
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

void Adam::add_to(Steps& steps) {
  steps.starts.back().t = t_;
  for (const parallel::Piece& piece : group_.stepped()) {
    auto& step = steps.adam.emplace_back(common<kernels::AdamStep>(piece));
    step.m = piece.of(m_), step.v = piece.of(v_), step.t = t_, step.rule = rule_;
  }
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

void Sgd::add_to(Steps& steps) {
  for (const parallel::Piece& piece : group_.stepped()) {
    auto& step = steps.sgd.emplace_back(common<kernels::SgdStep>(piece));
    step.velocity = piece.of(velocity_), step.rule = rule_;
  }
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

void Adagrad::add_to(Steps& steps) {
  for (const parallel::Piece& piece : group_.stepped()) {
    auto& step = steps.adagrad.emplace_back(common<kernels::AdagradStep>(piece));
    step.sum = piece.of(sum_), step.rule = rule_;
  }
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
