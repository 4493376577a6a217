#pragma once
// Layers of the fully connected nets.
#include <string_view>

#include "autograd/ops.h"
#include "nn/module.h"

namespace vae::nn {

/// y = x W^T + b with W [out, in], zero until initialised (init.h).
class Linear : public Module {
 public:
  Linear(int64_t in, int64_t out, Options options);
  Var operator()(const Var& x) const { return autograd::linear(x, weight, bias); }
  Var weight, bias;
};

struct BatchNormOptions {
  double eps = 1e-5;
  double momentum = 0.1;
  bool running_var_includes_eps = false;  ///< Chainer 1: the running variance keeps var + eps
  bool eval_adds_eps = true;              ///< Chainer 1: no eps is added in test mode
  double initial_running_var = 1;         ///< Chainer 1: 0
};

/// Batch norm over rows with affine weight (gamma) and bias (beta), and the activation behind it. In test
/// mode the running statistics are used.
class BatchNorm1d : public Module {
 public:
  BatchNorm1d(int64_t features, BatchNormOptions bn, Options options);
  /// Each row of x stands for `copies` equal ones, as far as the running variance is concerned.
  Var operator()(const Var& x, const kernels::Activation& activation = {}, int64_t copies = 1) const;
  Var weight, bias;
  Tensor running_mean, running_var;

 private:
  BatchNormOptions bn_;
};

/// Inverted dropout (autograd::dropout) in training mode, the identity in test mode. The noise of every call
/// is a function of the key and of a count of calls, which is part of the state.
class Dropout : public Module {
 public:
  Dropout(double ratio, RandomKey key, Options options);
  Var operator()(const Var& x) const;

 private:
  double ratio_;
  RandomKey key_;
  Tensor calls_;
};

enum class Activation { sigmoid, tanh, softplus, relu, leaky_relu, elu };

/// Throws Error(usage) for an unknown name.
Activation parse_activation(std::string_view name);
std::string_view name_of(Activation activation);
/// The function with its constants: leaky_relu has slope 0.2, elu alpha 1.
kernels::Activation kernel_of(Activation activation);
Var activate(Activation activation, const Var& x);

}  // namespace vae::nn
