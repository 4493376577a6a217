// Optimiser steps on CUDA devices. The step count, the learning rate and the gradient norm are read on the
// device: one thread of a block works out the constants, all use them.
#include <cmath>

#include "kernels/cuda/launch.h"
#include "kernels/elementwise/formula.h"
#include "kernels/kernels.h"

namespace vae::kernels::VAE_GPU {
namespace {

constexpr int64_t kStepBlocks = 1024;  // more than fill a device; each pays for its constants

/// Scalars on the device; norm_squared may be null.
struct Scalars {
  const int64_t* t;
  const double *learning_rate, *norm_squared;
  double clip, clip_elements;
  template <class T>
  __device__ Clipped<T> clipped() const {
    return {norm_squared ? clip_factor(sqrt(*norm_squared), clip) : 1.0, clip_elements};
  }
};

template <class T>
struct AdamConstants {
  T step, root_scale;
  Clipped<T> clipped;
};

template <class T>
__device__ AdamConstants<T> adam_constants(const Scalars& s, const AdamRule& rule) {
  const double t = static_cast<double>(*s.t), lr = *s.learning_rate;
  const double correction1 = 1 - pow(rule.beta1, t), root2 = sqrt(1 - pow(rule.beta2, t));
  const bool torch = rule.form == AdamForm::torch;
  return {static_cast<T>(torch ? lr / correction1 : lr * root2 / correction1),
          static_cast<T>(torch ? 1 / root2 : 1), s.clipped<T>()};
}

template <class T>
__global__ void adam_kernel(T* p, const T* g, T* m, T* v, int64_t n, Scalars scalars, AdamRule rule) {
  VAE_SHARED(AdamConstants<T>, shared, 1);
  if (threadIdx.x == 0) shared[0] = adam_constants<T>(scalars, rule);
  __syncthreads();
  const AdamConstants<T> k = shared[0];
  const T eps = static_cast<T>(rule.eps), weight_decay = static_cast<T>(rule.weight_decay);
  const T gain1 = static_cast<T>(1 - rule.beta1), gain2 = static_cast<T>(1 - rule.beta2);
  for (int64_t i = first_x(); i < n; i += step_x()) {
    const T gradient = k.clipped(g[i]) + weight_decay * p[i];
    const T first = m[i] + gain1 * (gradient - m[i]);
    const T second = v[i] + gain2 * (gradient * gradient - v[i]);
    m[i] = first;
    v[i] = second;
    p[i] -= k.step * first / (detail::sqrt_of(second) * k.root_scale + eps);
  }
}

template <class T>
__global__ void sgd_kernel(T* p, const T* g, T* velocity, int64_t n, Scalars scalars, SgdRule rule) {
  const T learning_rate = static_cast<T>(*scalars.learning_rate);
  const Clipped<T> clipped = scalars.clipped<T>();
  const T momentum = static_cast<T>(rule.momentum), weight_decay = static_cast<T>(rule.weight_decay);
  for (int64_t i = first_x(); i < n; i += step_x()) {
    const T gradient = clipped(g[i]) + weight_decay * p[i];
    velocity[i] = momentum * velocity[i] + gradient;
    p[i] -= learning_rate * (rule.nesterov ? gradient + momentum * velocity[i] : velocity[i]);
  }
}

template <class T>
__global__ void adagrad_kernel(T* p, const T* g, T* sum, int64_t n, Scalars scalars, AdagradRule rule) {
  const T learning_rate = static_cast<T>(*scalars.learning_rate);
  const T eps = static_cast<T>(rule.eps), weight_decay = static_cast<T>(rule.weight_decay);
  const Clipped<T> clipped = scalars.clipped<T>();
  for (int64_t i = first_x(); i < n; i += step_x()) {
    const T gradient = clipped(g[i]) + weight_decay * p[i];
    sum[i] += gradient * gradient;
    p[i] -= learning_rate * gradient / (detail::sqrt_of(sum[i]) + eps);
  }
}

template <class T>
__global__ void average_kernel(const T* value, T* average, int64_t n, T share) {
  for (int64_t i = first_x(); i < n; i += step_x()) average[i] += share * (value[i] - average[i]);
}

LaunchConfig step_config(const OnDevice& gpu, int64_t n) {
  LaunchConfig config = gpu.line(n);
  config.grid.x = std::min<unsigned>(config.grid.x, kStepBlocks);
  return config;
}

Scalars scalars_of(const auto& step, const int64_t* t = nullptr) {
  const Tensor& norm = step.grad_norm_squared;
  return {t, step.learning_rate.template data<double>(), norm.defined() ? norm.data<double>() : nullptr,
          step.clip, step.clip_elements};
}

}  // namespace

void adam(const AdamStep& s) {
  s.check();
  const OnDevice gpu(s.parameter);
  const int64_t n = s.parameter.numel();
  const Scalars scalars = scalars_of(s, s.t.data<int64_t>());
  dispatch_floating(s.parameter.dtype(), [&](auto zero) {
    using T = decltype(zero);
    launch("adam", adam_kernel<T>, step_config(gpu, n), s.parameter.data<T>(), s.gradient.data<T>(),
           s.m.data<T>(), s.v.data<T>(), n, scalars, s.rule);
  });
}

void sgd(const SgdStep& s) {
  s.check();
  const OnDevice gpu(s.parameter);
  const int64_t n = s.parameter.numel();
  const Scalars scalars = scalars_of(s);
  dispatch_floating(s.parameter.dtype(), [&](auto zero) {
    using T = decltype(zero);
    launch("sgd", sgd_kernel<T>, step_config(gpu, n), s.parameter.data<T>(), s.gradient.data<T>(),
           s.velocity.data<T>(), n, scalars, s.rule);
  });
}

void adagrad(const AdagradStep& s) {
  s.check();
  const OnDevice gpu(s.parameter);
  const int64_t n = s.parameter.numel();
  dispatch_floating(s.parameter.dtype(), [&](auto zero) {
    using T = decltype(zero);
    launch("adagrad", adagrad_kernel<T>, step_config(gpu, n), s.parameter.data<T>(), s.gradient.data<T>(),
           s.sum.data<T>(), n, scalars_of(s), s.rule);
  });
}

void moving_average(In value, Out average, double decay) {
  check_moving_average(value, average, decay);
  const OnDevice gpu(value);
  const int64_t n = value.numel();
  dispatch_floating(value.dtype(), [&](auto zero) {
    using T = decltype(zero);
    launch("moving_average", average_kernel<T>, gpu.line(n), value.data<T>(), average.data<T>(), n,
           static_cast<T>(1 - decay));
  });
}

}  // namespace vae::kernels::VAE_GPU
