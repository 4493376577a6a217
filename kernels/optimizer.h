#pragma once
// Optimiser steps over flat buffers of parameters, gradients and moments, of several groups at once. Whatever
// changes from step to step lives on the device: the step count t, the learning rate, the squared gradient
// norm.
#include <cmath>
#include <optional>

#include "kernels/schedule.h"

namespace vae::kernels {

/// What goes before the step of a group: t += 1, where there is one; the rate that a schedule or another
/// number on the device gives; the squared norm of the gradients, where they are clipped by it. What is
/// undefined is left out. All gradients are of one dtype.
struct StepStart {
  Tensor t;              ///< i64 scalar
  Tensor learning_rate;  ///< f64 scalar
  std::optional<Schedule> schedule;
  Tensor iteration;               ///< i64 scalar, for the schedule
  Tensor rate;                    ///< f64 scalar, to be copied
  Tensor gradient, norm_squared;  ///< flat; f64 scalar
  void check() const;
  void each_tensor(const auto& f) const {
    (f(t), f(learning_rate), f(iteration), f(rate), f(gradient), f(norm_squared));
  }
};

/// Adam (Kingma and Ba, arXiv:1412.6980), t counts from 1:
///   m += (1 - beta1)(g - m),  v += (1 - beta2)(g^2 - v),
///   torch:   p -= lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps)
///   chainer: p -= lr sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + eps)
enum class AdamForm : int { torch, chainer };

struct AdamRule {
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
  double weight_decay = 0;  ///< L2: g + weight_decay p
  AdamForm form = AdamForm::torch;
};

/// Gradients are scaled by clip / norm where norm = sqrt(grad_norm_squared) exceeds clip (grad_norm_squared
/// undefined: not), then limited to [-clip_elements, clip_elements] one by one (zero: not).
struct AdamStep {
  Tensor parameter, gradient, m, v;  ///< flat, one dtype
  Tensor t;                          ///< i64 scalar, this step's count
  Tensor learning_rate;              ///< f64 scalar
  Tensor grad_norm_squared;          ///< f64 scalar or undefined
  double clip = 0, clip_elements = 0;
  AdamRule rule;
  void check() const;
  void each_tensor(const auto& f) const {
    (f(parameter), f(gradient), f(m), f(v), f(t), f(learning_rate), f(grad_norm_squared));
  }
};

/// SGD with momentum (torch form): g += weight_decay p; b = momentum b + g; p -= lr (nesterov ? g + momentum
/// b : b).
struct SgdRule {
  double momentum = 0, weight_decay = 0;
  bool nesterov = false;
};

struct SgdStep {
  Tensor parameter, gradient, velocity;
  Tensor learning_rate, grad_norm_squared;
  double clip = 0, clip_elements = 0;
  SgdRule rule;
  void check() const;
  void each_tensor(const auto& f) const {
    (f(parameter), f(gradient), f(velocity), f(learning_rate), f(grad_norm_squared));
  }
};

/// Adagrad (Duchi, Hazan and Singer, JMLR 12, 2011; torch form without decay of the rate):
///   g += weight_decay p; sum += g^2; p -= lr g / (sqrt(sum) + eps)
struct AdagradRule {
  double eps = 1e-10, weight_decay = 0;
};

struct AdagradStep {
  Tensor parameter, gradient, sum;
  Tensor learning_rate, grad_norm_squared;
  double clip = 0, clip_elements = 0;
  AdagradRule rule;
  void check() const;
  void each_tensor(const auto& f) const {
    (f(parameter), f(gradient), f(sum), f(learning_rate), f(grad_norm_squared));
  }
};

/// Throws naming `kernel` unless the steps fit, and their parameters are of one dtype.
template <class Step>
void check_steps(const char* kernel, std::span<const Step> steps) {
  for (const Step& step : steps) {
    step.check();
    VAE_CHECK(step.parameter.dtype() == steps[0].parameter.dtype(), "{}: parameters {} beside {}", kernel,
              step.parameter.str(), steps[0].parameter.str());
  }
}

/// The exponential moving average [n] of values of the same dtype: average += (1 - decay)(value - average).
void check_moving_average(In value, Out average, double decay);

/// Factor of norm clipping: clip / norm where it is below one, else one.
VAE_HD double clip_factor(double norm, double clip) {
  return norm > 0 && clip / norm < 1 ? clip / norm : 1.0;
}

/// What clipping makes of a gradient: scaled, then limited.
template <class T>
struct Clipped {
  T factor, limit;
  Clipped() = default;
  VAE_HD Clipped(double norm_factor, double clip_elements)
      : factor(static_cast<T>(norm_factor)),
        limit(clip_elements > 0 ? static_cast<T>(clip_elements) : static_cast<T>(HUGE_VAL)) {}
  VAE_HD T operator()(T gradient) const {
    const T g = gradient * factor;
    return g < -limit ? -limit : g > limit ? limit : g;
  }
};

}  // namespace vae::kernels
