#include "autograd/gradcheck.h"

#include <cmath>

#include "autograd/ops.h"

namespace vae::autograd {
namespace {

/// sum(w * f()) with weights that are a function of the element alone.
Var weighted(const Var& y) {
  const Tensor weights = Tensor::empty(y.shape(), DType::f64, y.value().device());
  kernels::random_normal(weights, RandomKey::named(7, "gradcheck"),
                         Tensor::scalar(int64_t{0}, weights.device()), {});
  return sum(y * Var(weights));
}

/// The loss with element i of `x` moved by `delta`.
double moved(const std::function<Var()>& f, const Tensor& x, int64_t i, double delta) {
  const Tensor element = x.reshape({x.numel()}).slice(i, i + 1);
  const double value = element.item();
  kernels::fill(element, value + delta);
  const double loss = weighted(f()).value().item();
  kernels::fill(element, value);
  return loss;
}

}  // namespace

GradcheckResult gradcheck(const std::function<Var()>& f, const std::vector<Var>& inputs,
                          GradcheckOptions options) {
  {
    Tape tape;
    for (Var input : inputs) input.clear_grad();
    tape.backward(weighted(f()));
  }
  GradcheckResult result{0, "", true};
  for (size_t k = 0; k < inputs.size(); ++k) {
    if (!inputs[k].needs_grad()) continue;
    const Tensor& x = inputs[k].value();
    VAE_CHECK(x.dtype() == DType::f64, "gradcheck works in f64, input {} is {}", k, x.str());
    const std::vector<double> values = x.to_vector<double>();
    const std::vector<double> gradient =
        inputs[k].has_grad() ? inputs[k].grad().to_vector<double>() : std::vector<double>(values.size(), 0.0);
    const int64_t stride = std::max<int64_t>(1, x.numel() / options.max_elements);
    for (int64_t i = 0; i < x.numel(); i += stride) {
      const double h = options.step * std::max(1.0, std::abs(values[i]));
      const double numeric = (moved(f, x, i, h) - moved(f, x, i, -h)) / (2 * h);
      const double error = std::abs(numeric - gradient[i]) / std::max(1.0, std::abs(numeric));
      if (!(error <= result.worst)) {
        result.worst = error;
        result.where = fmt::format("input {} element {}: gradient {} against {}", k, i, gradient[i], numeric);
      }
      if (!(error <= options.tolerance)) result.ok = false;
    }
  }
  return result;
}

}  // namespace vae::autograd
