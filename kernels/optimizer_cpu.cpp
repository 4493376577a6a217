#include <cmath>

#include "kernels/kernels.h"
#include "kernels/simd.h"
#include "tensor/parallel.h"

namespace vae::kernels::cpu {
namespace {

constexpr int64_t kGrain = 16384;

double factor_of(const Tensor& norm_squared, double clip) {
  return norm_squared.defined() ? clip_factor(std::sqrt(norm_squared.data<double>()[0]), clip) : 1.0;
}

template <class T>
Clipped<T> clipped(const auto& step) {
  return {factor_of(step.grad_norm_squared, step.clip), step.clip_elements};
}

template <class T>
struct AdamConstants {
  T step, root_scale, eps, one_minus_beta1, one_minus_beta2, weight_decay;
  Clipped<T> clipped;
};

template <class T>
VAE_CLONES void adam_loop(T* p, const T* g, T* m, T* v, int64_t n, AdamConstants<T> k) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) {
    const T gradient = k.clipped(g[i]) + k.weight_decay * p[i];
    const T first = m[i] + k.one_minus_beta1 * (gradient - m[i]);
    const T second = v[i] + k.one_minus_beta2 * (gradient * gradient - v[i]);
    m[i] = first;
    v[i] = second;
    p[i] -= k.step * first / (std::sqrt(second) * k.root_scale + k.eps);
  }
}

template <class T>
struct SgdConstants {
  T learning_rate, momentum, weight_decay;
  bool nesterov;
  Clipped<T> clipped;
};

template <class T>
VAE_CLONES void sgd_loop(T* p, const T* g, T* b, int64_t n, SgdConstants<T> k) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) {
    const T gradient = k.clipped(g[i]) + k.weight_decay * p[i];
    b[i] = k.momentum * b[i] + gradient;
    p[i] -= k.learning_rate * (k.nesterov ? gradient + k.momentum * b[i] : b[i]);
  }
}

template <class T>
struct AdagradConstants {
  T learning_rate, eps, weight_decay;
  Clipped<T> clipped;
};

template <class T>
VAE_CLONES void adagrad_loop(T* p, const T* g, T* sum, int64_t n, AdagradConstants<T> k) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) {
    const T gradient = k.clipped(g[i]) + k.weight_decay * p[i];
    sum[i] += gradient * gradient;
    p[i] -= k.learning_rate * gradient / (std::sqrt(sum[i]) + k.eps);
  }
}

template <class T>
VAE_CLONES void average_loop(const T* value, T* average, int64_t n, T share) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) average[i] += share * (value[i] - average[i]);
}

void adam_group(const AdamStep& s) {
  const double t = static_cast<double>(s.t.data<int64_t>()[0]), lr = s.learning_rate.data<double>()[0];
  const double correction1 = 1 - std::pow(s.rule.beta1, t), root2 = std::sqrt(1 - std::pow(s.rule.beta2, t));
  const bool torch = s.rule.form == AdamForm::torch;
  dispatch_floating(s.parameter.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const AdamConstants<T> k{static_cast<T>(torch ? lr / correction1 : lr * root2 / correction1),
                             static_cast<T>(torch ? 1 / root2 : 1),
                             static_cast<T>(s.rule.eps),
                             static_cast<T>(1 - s.rule.beta1),
                             static_cast<T>(1 - s.rule.beta2),
                             static_cast<T>(s.rule.weight_decay),
                             clipped<T>(s)};
    parallel_for(s.parameter.numel(), kGrain, [&](int64_t i, int64_t end) {
      adam_loop(s.parameter.data<T>() + i, s.gradient.data<T>() + i, s.m.data<T>() + i, s.v.data<T>() + i,
                end - i, k);
    });
  });
}

void sgd_group(const SgdStep& s) {
  dispatch_floating(s.parameter.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const SgdConstants<T> k{static_cast<T>(s.learning_rate.data<double>()[0]),
                            static_cast<T>(s.rule.momentum), static_cast<T>(s.rule.weight_decay),
                            s.rule.nesterov, clipped<T>(s)};
    parallel_for(s.parameter.numel(), kGrain, [&](int64_t i, int64_t end) {
      sgd_loop(s.parameter.data<T>() + i, s.gradient.data<T>() + i, s.velocity.data<T>() + i, end - i, k);
    });
  });
}

void adagrad_group(const AdagradStep& s) {
  dispatch_floating(s.parameter.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const AdagradConstants<T> k{static_cast<T>(s.learning_rate.data<double>()[0]), static_cast<T>(s.rule.eps),
                                static_cast<T>(s.rule.weight_decay), clipped<T>(s)};
    parallel_for(s.parameter.numel(), kGrain, [&](int64_t i, int64_t end) {
      adagrad_loop(s.parameter.data<T>() + i, s.gradient.data<T>() + i, s.sum.data<T>() + i, end - i, k);
    });
  });
}

}  // namespace

void start_steps(std::span<const StepStart> starts) {
  for (const StepStart& s : starts) {
    s.check();
    if (s.norm_squared.defined()) sum_squares(s.gradient, s.norm_squared);
    if (s.t.defined()) ++s.t.data<int64_t>()[0];
    double& rate = s.learning_rate.data<double>()[0];
    if (s.schedule) rate = s.schedule->at(s.iteration.data<int64_t>()[0]);
    if (s.rate.defined()) rate = s.rate.data<double>()[0];
  }
}

void adam(std::span<const AdamStep> steps) {
  check_steps("adam", steps);
  for (const AdamStep& step : steps) adam_group(step);
}

void sgd(std::span<const SgdStep> steps) {
  check_steps("sgd", steps);
  for (const SgdStep& step : steps) sgd_group(step);
}

void adagrad(std::span<const AdagradStep> steps) {
  check_steps("adagrad", steps);
  for (const AdagradStep& step : steps) adagrad_group(step);
}

void moving_average(In value, Out average, double decay) {
  check_moving_average(value, average, decay);
  dispatch_floating(value.dtype(), [&](auto zero) {
    using T = decltype(zero);
    parallel_for(value.numel(), kGrain, [&](int64_t i, int64_t end) {
      average_loop(value.data<T>() + i, average.data<T>() + i, end - i, static_cast<T>(1 - decay));
    });
  });
}

}  // namespace vae::kernels::cpu
