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

void check_number(const char* kernel, const char* what, const Tensor& number, DType dtype) {
  VAE_CHECK(!number.defined() || (number.dtype() == dtype && number.numel() == 1), "{}: {} {}", kernel, what,
            number.str());
}

}  // namespace

void StepStart::check() const {
  check_number("start_steps", "step count", t, DType::i64);
  check_number("start_steps", "iteration", iteration, DType::i64);
  check_number("start_steps", "rate", rate, DType::f64);
  check_scalars("start_steps", learning_rate, norm_squared);
  VAE_CHECK(!schedule || iteration.defined(), "start_steps: a schedule without an iteration");
  VAE_CHECK(
      norm_squared.defined() == gradient.defined() && (!gradient.defined() || is_floating(gradient.dtype())),
      "start_steps: norm {} of {}", norm_squared.str(), gradient.str());
}

void AdamStep::check() const {
  check_flat("adam", parameter, {&gradient, &m, &v});
  check_scalars("adam", learning_rate, grad_norm_squared);
  VAE_CHECK(t.defined(), "adam: no step count");
  check_number("adam", "step count", t, DType::i64);
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
