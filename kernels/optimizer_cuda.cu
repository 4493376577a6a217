// Optimiser steps on CUDA devices: all groups in one launch, a row of blocks each. The step count, the
// learning rate and the gradient norm are read on the device: one thread of a block works out the constants,
// all use them.
#include <cmath>

#include "kernels/cuda/reduce.h"
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

/// What a launch takes: so many groups.
constexpr size_t kGroups = 8;
template <class Group>
struct Groups {
  Group of[kGroups];
};

template <class T>
struct AdamGroup {
  T* p;
  const T* g;
  T *m, *v;
  int64_t n;
  Scalars scalars;
  AdamRule rule;
};

template <class T>
__global__ void adam_kernel(Groups<AdamGroup<T>> groups) {
  const AdamGroup<T>& group = groups.of[blockIdx.y];
  VAE_SHARED(AdamConstants<T>, shared, 1);
  if (threadIdx.x == 0) shared[0] = adam_constants<T>(group.scalars, group.rule);
  __syncthreads();
  const AdamConstants<T> k = shared[0];
  const T eps = static_cast<T>(group.rule.eps), weight_decay = static_cast<T>(group.rule.weight_decay);
  const T gain1 = static_cast<T>(1 - group.rule.beta1), gain2 = static_cast<T>(1 - group.rule.beta2);
  T *p = group.p, *m = group.m, *v = group.v;
  for (int64_t i = first_x(); i < group.n; i += step_x()) {
    const T gradient = k.clipped(group.g[i]) + weight_decay * p[i];
    const T first = m[i] + gain1 * (gradient - m[i]);
    const T second = v[i] + gain2 * (gradient * gradient - v[i]);
    m[i] = first;
    v[i] = second;
    p[i] -= k.step * first / (detail::sqrt_of(second) * k.root_scale + eps);
  }
}

template <class T>
struct SgdGroup {
  T* p;
  const T* g;
  T* velocity;
  int64_t n;
  Scalars scalars;
  SgdRule rule;
};

template <class T>
__global__ void sgd_kernel(Groups<SgdGroup<T>> groups) {
  const SgdGroup<T>& group = groups.of[blockIdx.y];
  const SgdRule& rule = group.rule;
  const T learning_rate = static_cast<T>(*group.scalars.learning_rate);
  const Clipped<T> clipped = group.scalars.template clipped<T>();
  const T momentum = static_cast<T>(rule.momentum), weight_decay = static_cast<T>(rule.weight_decay);
  T *p = group.p, *velocity = group.velocity;
  for (int64_t i = first_x(); i < group.n; i += step_x()) {
    const T gradient = clipped(group.g[i]) + weight_decay * p[i];
    velocity[i] = momentum * velocity[i] + gradient;
    p[i] -= learning_rate * (rule.nesterov ? gradient + momentum * velocity[i] : velocity[i]);
  }
}

template <class T>
struct AdagradGroup {
  T* p;
  const T* g;
  T* sum;
  int64_t n;
  Scalars scalars;
  AdagradRule rule;
};

template <class T>
__global__ void adagrad_kernel(Groups<AdagradGroup<T>> groups) {
  const AdagradGroup<T>& group = groups.of[blockIdx.y];
  const T learning_rate = static_cast<T>(*group.scalars.learning_rate);
  const T eps = static_cast<T>(group.rule.eps), weight_decay = static_cast<T>(group.rule.weight_decay);
  const Clipped<T> clipped = group.scalars.template clipped<T>();
  T *p = group.p, *sum = group.sum;
  for (int64_t i = first_x(); i < group.n; i += step_x()) {
    const T gradient = clipped(group.g[i]) + weight_decay * p[i];
    sum[i] += gradient * gradient;
    p[i] -= learning_rate * gradient / (detail::sqrt_of(sum[i]) + eps);
  }
}

/// What StepStart says of a group; null where it is left out. The squares of the gradients come in `parts`.
struct StartGroup {
  int64_t* t;
  double *learning_rate, *norm_squared, *squares;
  const double* rate;
  const int64_t* iteration;
  Schedule schedule;
  const void* gradient;
  int64_t n, parts;
};

constexpr int64_t kPart = 4096;  // gradients whose squares a block sums

template <class T>
__global__ void squares_kernel(Groups<StartGroup> groups) {
  const StartGroup& group = groups.of[blockIdx.y];
  const T* g = static_cast<const T*>(group.gradient);
  for (int64_t part = blockIdx.x; part < group.parts; part += gridDim.x) {
    const int64_t end = (part + 1) * kPart < group.n ? (part + 1) * kPart : group.n;
    double sum = 0;
    for (int64_t i = part * kPart + threadIdx.x; i < end; i += kThreads) {
      const double v = static_cast<double>(g[i]);
      sum += v * v;
    }
    sum = row_reduce(sum, Plus{});
    if (threadIdx.x == 0) group.squares[part] = sum;
  }
}

__global__ void start_kernel(Groups<StartGroup> groups) {
  const StartGroup& group = groups.of[blockIdx.y];
  double sum = 0;
  for (int64_t i = threadIdx.x; i < group.parts; i += kThreads) sum += group.squares[i];
  sum = row_reduce(sum, Plus{});
  if (threadIdx.x != 0) return;
  if (group.norm_squared) *group.norm_squared = sum;
  if (group.t) ++*group.t;
  if (group.iteration) *group.learning_rate = group.schedule.at(*group.iteration);
  if (group.rate) *group.learning_rate = *group.rate;
}

template <class T>
__global__ void average_kernel(const T* value, T* average, int64_t n, T share) {
  for (int64_t i = first_x(); i < n; i += step_x()) average[i] += share * (value[i] - average[i]);
}

Scalars scalars_of(const auto& step, const int64_t* t = nullptr) {
  const Tensor& norm = step.grad_norm_squared;
  return {t, step.learning_rate.template data<double>(), norm.defined() ? norm.data<double>() : nullptr,
          step.clip, step.clip_elements};
}

/// Calls body(first, groups, how many there are) for so many steps at a time, filled in by make(step).
template <class Group, class Step, class Make, class Body>
void in_launches(std::span<const Step> steps, const Make& make, const Body& body) {
  for (; !steps.empty(); steps = steps.subspan(std::min(kGroups, steps.size()))) {
    Groups<Group> groups{};
    const size_t count = std::min(kGroups, steps.size());
    for (size_t i = 0; i < count; ++i) groups.of[i] = make(steps[i]);
    body(groups, static_cast<unsigned>(count));
  }
}

/// Launches kernel(groups) on rows of blocks wide enough for the largest group.
template <class Group, class Step, class Make>
void launch_steps(const char* name, void (*kernel)(Groups<Group>), std::span<const Step> steps,
                  const Make& make) {
  if (steps.empty()) return;
  const OnDevice gpu(steps[0].parameter);
  in_launches<Group>(steps, make, [&](const Groups<Group>& groups, unsigned count) {
    int64_t n = 0;
    for (const Group& group : groups.of) n = std::max(n, group.n);
    LaunchConfig config = gpu.line(n);
    config.grid = {std::min<unsigned>(config.grid.x, kStepBlocks), count};
    launch(name, kernel, config, groups);
  });
}

template <class T>
T* data(const Tensor& tensor) {
  return tensor.defined() ? tensor.data<T>() : nullptr;
}

/// The squares of the gradients of a group go to `squares`, of which there are `parts`.
StartGroup start_group(const StepStart& s, double* squares, int64_t parts) {
  return {.t = data<int64_t>(s.t),
          .learning_rate = data<double>(s.learning_rate),
          .norm_squared = data<double>(s.norm_squared),
          .squares = squares,
          .rate = data<double>(s.rate),
          .iteration = s.schedule ? data<int64_t>(s.iteration) : nullptr,
          .schedule = s.schedule.value_or(Schedule{}),
          .gradient = s.gradient.defined() ? s.gradient.raw() : nullptr,
          .n = s.gradient.defined() ? s.gradient.numel() : 0,
          .parts = parts};
}

}  // namespace

void start_steps(std::span<const StepStart> starts) {
  if (starts.empty()) return;
  const OnDevice gpu(starts[0].learning_rate);
  DType dtype = DType::f32;
  std::vector<Tensor> squares;
  in_launches<StartGroup>(
      starts,
      [&](const StepStart& s) {
        s.check();
        if (s.gradient.defined()) dtype = s.gradient.dtype();
        const int64_t parts = s.gradient.defined() ? (s.gradient.numel() + kPart - 1) / kPart : 0;
        squares.push_back(Tensor::empty({parts}, DType::f64, s.learning_rate.device()));
        return start_group(s, squares.back().data<double>(), parts);
      },
      [&](const Groups<StartGroup>& groups, unsigned count) {
        int64_t parts = 0;
        for (const StartGroup& group : groups.of) parts = std::max(parts, group.parts);
        if (parts > 0)
          dispatch_floating(dtype, [&](auto zero) {
            launch("start_steps squares", squares_kernel<decltype(zero)>,
                   gpu.config({blocks_for(parts, 1), count}, {kThreads}), groups);
          });
        launch("start_steps", start_kernel, gpu.config({1, count}, {kThreads}), groups);
      });
}

void adam(std::span<const AdamStep> steps) {
  check_steps("adam", steps);
  if (steps.empty()) return;
  dispatch_floating(steps[0].parameter.dtype(), [&](auto zero) {
    using T = decltype(zero);
    launch_steps("adam", adam_kernel<T>, steps, [](const AdamStep& s) -> AdamGroup<T> {
      return {s.parameter.data<T>(),
              s.gradient.data<T>(),
              s.m.data<T>(),
              s.v.data<T>(),
              s.parameter.numel(),
              scalars_of(s, s.t.data<int64_t>()),
              s.rule};
    });
  });
}

void sgd(std::span<const SgdStep> steps) {
  check_steps("sgd", steps);
  if (steps.empty()) return;
  dispatch_floating(steps[0].parameter.dtype(), [&](auto zero) {
    using T = decltype(zero);
    launch_steps("sgd", sgd_kernel<T>, steps, [](const SgdStep& s) -> SgdGroup<T> {
      return {s.parameter.data<T>(), s.gradient.data<T>(), s.velocity.data<T>(),
              s.parameter.numel(),   scalars_of(s),        s.rule};
    });
  });
}

void adagrad(std::span<const AdagradStep> steps) {
  check_steps("adagrad", steps);
  if (steps.empty()) return;
  dispatch_floating(steps[0].parameter.dtype(), [&](auto zero) {
    using T = decltype(zero);
    launch_steps("adagrad", adagrad_kernel<T>, steps, [](const AdagradStep& s) -> AdagradGroup<T> {
      return {s.parameter.data<T>(), s.gradient.data<T>(), s.sum.data<T>(),
              s.parameter.numel(),   scalars_of(s),        s.rule};
    });
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
