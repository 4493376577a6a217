#include "autograd/variable.h"

#include <utility>

#include "autograd/calling.h"
#include "kernels/kernels.h"

namespace vae::autograd {

void detail::fail_undefined() { misuse("Var", "an undefined Var is used: nothing was assigned to it"); }

void detail::Node::spread() {
  if (state != GradState::uniform) return;
  const Tensor number = std::exchange(grad, Tensor::empty(value.shape(), value.dtype(), value.device()));
  kernels::map_fwd(kernels::Map::affine, {factor, 0}, {&number, 1}, grad);
  state = GradState::own;
}

Slot detail::Node::slot() {
  spread();
  if (state == GradState::none) {
    if (!parameter) grad = Tensor::empty(value.shape(), value.dtype(), value.device());
    state = GradState::own;
    return {grad, kernels::Write::set};
  }
  if (state == GradState::shared) {
    if (!grad.owns_alone()) grad = grad.clone();
    state = GradState::own;
  }
  return {grad, kernels::Write::add};
}

void detail::Node::contribute(const Tensor& gradient, bool held_by_others) {
  VAE_CHECK(gradient.numel() == value.numel(), "gradient {} of a value {}", gradient.str(), value.str());
  if (state == GradState::none && !parameter) {
    grad = gradient.reshape(value.shape());
    state = held_by_others ? GradState::shared : GradState::own;
    return;
  }
  const Slot target = slot();
  if (target.write == kernels::Write::set) return target.tensor.copy_from(gradient);
  const Tensor terms[] = {target.tensor, gradient.reshape(target.tensor.shape())};
  kernels::map_fwd(kernels::Map::add, {}, terms, target.tensor);
}

void detail::Node::contribute(const Uniform& gradient) {
  const auto& [number, times] = gradient;
  if (state == GradState::none && !parameter) {
    grad = number, factor = times, state = GradState::uniform;
    return;
  }
  if (state == GradState::uniform && grad.raw() == number.raw()) {
    factor += times;
    return;
  }
  const Slot target = slot();
  const Tensor terms[] = {target.tensor, number};
  if (target.write == kernels::Write::set)
    kernels::map_fwd(kernels::Map::affine, {times, 0}, {&number, 1}, target.tensor);
  else
    kernels::map_fwd(kernels::Map::add_scaled, {times, 0}, terms, target.tensor);
}

Var::Var(Tensor value, bool needs_grad) : node_(std::make_shared<detail::Node>()) {
  if (!value.defined()) misuse("Var", "the tensor is undefined: a Var needs a value");
  if (needs_grad && !is_floating(value.dtype()))
    misuse("Var", "{} cannot have a gradient: only f32 and f64 can", value.str());
  node_->value = std::move(value);
  node_->needs_grad = needs_grad;
}

const Tensor& Var::grad() const {
  if (!has_grad())
    misuse("Var::grad", "no backward walk has written the gradient of {} since it was cleared",
           value().str());
  node_->spread();
  return node_->grad;
}

void Var::rebind(const Tensor& value, const Tensor& grad) {
  value.copy_from(there().value);
  node_->value = value;
  node_->grad = grad;
  node_->state = detail::GradState::none;
  node_->parameter = true;
}

}  // namespace vae::autograd
