#include "autograd/variable.h"

#include "kernels/kernels.h"

namespace vae::autograd {

Slot detail::Node::slot() {
  if (state == GradState::none) {
    if (!parameter) grad = Tensor::empty(value.shape(), value.dtype(), value.device());
    state = GradState::own;
    return {grad, kernels::Write::set};
  }
  if (state == GradState::shared) {
    grad = grad.clone();
    state = GradState::own;
  }
  return {grad, kernels::Write::add};
}

void detail::Node::contribute(const Tensor& gradient) {
  VAE_CHECK(gradient.numel() == value.numel(), "gradient {} of a value {}", gradient.str(), value.str());
  if (state == GradState::none && !parameter) {
    grad = gradient.reshape(value.shape());
    state = GradState::shared;
    return;
  }
  const Slot target = slot();
  if (target.write == kernels::Write::set) return target.tensor.copy_from(gradient);
  const Tensor terms[] = {target.tensor, gradient.reshape(target.tensor.shape())};
  kernels::map_fwd(kernels::Map::add, {}, terms, target.tensor);
}

Var::Var(Tensor value, bool needs_grad) : node_(std::make_shared<detail::Node>()) {
  VAE_CHECK(value.defined(), "a Var needs a value");
  VAE_CHECK(!needs_grad || is_floating(value.dtype()), "no gradient of {}", value.str());
  node_->value = std::move(value);
  node_->needs_grad = needs_grad;
}

const Tensor& Var::grad() const {
  VAE_CHECK(has_grad(), "no gradient was computed for {}", value().str());
  return node_->grad;
}

void Var::rebind(const Tensor& value, const Tensor& grad) {
  value.copy_from(node_->value);
  node_->value = value;
  node_->grad = grad;
  node_->state = detail::GradState::none;
  node_->parameter = true;
}

}  // namespace vae::autograd
