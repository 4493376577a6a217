#include "kernels/optimizer.h"

namespace vae::kernels {
namespace {

void check_flat(const char* kernel, const Tensor& parameter, std::initializer_list<const Tensor*> buffers) {
  for (const Tensor* b : buffers)
    VAE_CHECK(
        is_floating(parameter.dtype()) && b->dtype() == parameter.dtype() && b->numel() == parameter.numel(),
        "{}: {} beside parameters {}", kernel, b->str(), parameter.str());
}

void check_scalars(const char* kernel, const Tensor& learning_rate, const Tensor& norm) {
  VAE_CHECK(learning_rate.dtype() == DType::f64 && learning_rate.numel() == 1, "{}: learning rate {}", kernel,
            learning_rate.str());
  VAE_CHECK(!norm.defined() || (norm.dtype() == DType::f64 && norm.numel() == 1), "{}: norm {}", kernel,
            norm.str());
}

}  // namespace

void AdamStep::check() const {
  check_flat("adam", parameter, {&gradient, &m, &v});
  check_scalars("adam", learning_rate, grad_norm_squared);
  VAE_CHECK(t.dtype() == DType::i64 && t.numel() == 1, "adam: step count {}", t.str());
}

void SgdStep::check() const {
  check_flat("sgd", parameter, {&gradient, &velocity});
  check_scalars("sgd", learning_rate, grad_norm_squared);
}

void AdagradStep::check() const {
  check_flat("adagrad", parameter, {&gradient, &sum});
  check_scalars("adagrad", learning_rate, grad_norm_squared);
}

void check_moving_average(In value, Out average, double decay) {
  check_flat("moving_average", value, {&average});
  VAE_CHECK(decay >= 0 && decay <= 1, "moving_average: decay {} outside [0, 1]", decay);
}

}  // namespace vae::kernels
