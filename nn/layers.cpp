#include "nn/layers.h"

#include <array>

namespace vae::nn {
namespace {

Var parameter(Shape shape, double value, Options options) {
  const Tensor tensor = Tensor::empty(shape, options.dtype, options.device);
  kernels::fill(tensor, value);
  return Var(tensor, true);
}

}  // namespace

Linear::Linear(int64_t in, int64_t out, Options options)
    : weight(parameter({out, in}, 0, options)), bias(parameter({out}, 0, options)) {
  add_parameter("weight", weight);
  add_parameter("bias", bias);
}

BatchNorm1d::BatchNorm1d(int64_t features, BatchNormOptions bn, Options options)
    : weight(parameter({features}, 1, options)),
      bias(parameter({features}, 0, options)),
      running_mean(Tensor::zeros({features}, options.dtype, options.device)),
      running_var(Tensor::empty({features}, options.dtype, options.device)),
      bn_(bn) {
  kernels::fill(running_var, bn.initial_running_var);
  add_parameter("weight", weight);
  add_parameter("bias", bias);
  add_buffer("running_mean", running_mean);
  add_buffer("running_var", running_var);
}

Var BatchNorm1d::operator()(const Var& x, const kernels::Activation& activation, int64_t copies) const {
  if (training())
    return autograd::batch_norm(x, weight, bias, running_mean, running_var,
                                {bn_.eps, bn_.momentum, bn_.running_var_includes_eps, static_cast<double>(copies)},
                                activation);
  const Var deviation = autograd::sqrt(Var(running_var) + (bn_.eval_adds_eps ? bn_.eps : 0.0));
  const Var scale = weight / deviation;
  const Var u = x * scale + (bias - Var(running_mean) * scale);
  return activation.function ? autograd::map(*activation.function, {u}, activation.params) : u;
}

Dropout::Dropout(double ratio, RandomKey key, Options options)
    : ratio_(ratio), key_(key), calls_(Tensor::scalar(int64_t{0}, options.device)) {
  if (!(ratio >= 0 && ratio < 1)) fail(ErrorKind::usage, "dropout ratio {} outside [0, 1)", ratio);
  add_buffer("calls", calls_);
}

Var Dropout::operator()(const Var& x) const {
  if (!training() || ratio_ == 0) return x;
  const Tensor uniform = Tensor::empty(x.shape(), x.value().dtype(), x.value().device());
  kernels::random_uniform(uniform, key_, calls_);
  kernels::increment(calls_);
  return autograd::dropout(x, uniform, ratio_);
}

namespace {
constexpr std::array<std::string_view, 6> kActivations{"sigmoid", "tanh",       "softplus",
                                                       "relu",    "leaky_relu", "elu"};
}

Activation parse_activation(std::string_view name) {
  for (size_t i = 0; i < kActivations.size(); ++i)
    if (kActivations[i] == name) return static_cast<Activation>(i);
  fail(ErrorKind::usage, "unknown activation '{}': expected one of {}", name, fmt::join(kActivations, ", "));
}

std::string_view name_of(Activation activation) { return kActivations[static_cast<size_t>(activation)]; }

kernels::Activation kernel_of(Activation activation) {
  using kernels::Map;
  switch (activation) {
    case Activation::sigmoid:
      return {Map::sigmoid, {}};
    case Activation::tanh:
      return {Map::tanh, {}};
    case Activation::softplus:
      return {Map::softplus, {}};
    case Activation::relu:
      return {Map::relu, {}};
    case Activation::leaky_relu:
      return {Map::leaky_relu, {0.2, 0}};
    case Activation::elu:
      return {Map::elu, {1, 0}};
  }
  fail(ErrorKind::internal, "unknown activation {}", static_cast<int>(activation));
}

Var activate(Activation activation, const Var& x) {
  const kernels::Activation kernel = kernel_of(activation);
  return autograd::map(*kernel.function, {x}, kernel.params);
}

}  // namespace vae::nn
