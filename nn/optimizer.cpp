#include "nn/optimizer.h"

#include <cmath>

#include "kernels/kernels.h"

namespace vae::nn {

Optimizer::Optimizer(FlatParameters& group, double learning_rate, double clip)
    : group_(group),
      learning_rate_(Tensor::scalar(learning_rate, group.values().device())),
      norm_squared_(Tensor::scalar(0.0, group.values().device())),
      clip_(clip) {
  if (!(learning_rate > 0)) fail(ErrorKind::usage, "learning rate {} is not positive", learning_rate);
  if (!(clip >= 0)) fail(ErrorKind::usage, "gradient clip {} is negative", clip);
}

void Optimizer::step() {
  group_.finish_gradients();
  kernels::sum_squares(group_.gradients(), norm_squared_);
  update();
}

void Optimizer::set_learning_rate(double rate) { kernels::fill(learning_rate_, rate); }
double Optimizer::learning_rate() const { return learning_rate_.item(); }
double Optimizer::gradient_norm() const { return std::sqrt(norm_squared_.item()); }

void Optimizer::add_state(train::StateDict& state, const std::string& prefix) {
  state.add(prefix + ".learning_rate", learning_rate_);
}

namespace {

Tensor zeros_like(const Tensor& x) { return Tensor::zeros(x.shape(), x.dtype(), x.device()); }

}  // namespace

Adam::Adam(FlatParameters& group, Settings settings)
    : Optimizer(group, settings.learning_rate, settings.clip),
      rule_(settings.rule),
      m_(zeros_like(group.values())),
      v_(zeros_like(group.values())),
      t_(Tensor::scalar(int64_t{0}, group.values().device())) {}

void Adam::update() {
  kernels::increment(t_);
  kernels::adam({.parameter = group_.values(),
                 .gradient = group_.gradients(),
                 .m = m_,
                 .v = v_,
                 .t = t_,
                 .learning_rate = learning_rate_,
                 .grad_norm_squared = clip_ > 0 ? norm_squared_ : Tensor{},
                 .clip = clip_,
                 .rule = rule_});
}

void Adam::add_state(train::StateDict& state, const std::string& prefix) {
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
  kernels::sgd({.parameter = group_.values(),
                .gradient = group_.gradients(),
                .velocity = velocity_,
                .learning_rate = learning_rate_,
                .grad_norm_squared = clip_ > 0 ? norm_squared_ : Tensor{},
                .clip = clip_,
                .rule = rule_});
}

void Sgd::add_state(train::StateDict& state, const std::string& prefix) {
  Optimizer::add_state(state, prefix);
  state.add(prefix + ".velocity", velocity_);
}

}  // namespace vae::nn
