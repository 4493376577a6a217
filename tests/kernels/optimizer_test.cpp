// Optimiser kernels against their formulas, one number at a time, over several steps.
#include <gtest/gtest.h>

#include "tests/numeric.h"

namespace vae::kernels::optimizer_test {

using test::distance;
using test::sample_tensor;

constexpr int kSteps = 5;

/// Calls body(n, dtype, device, clip): sizes, and clipping absent, inactive, active.
template <class Body>
void for_all(const Body& body) {
  for (const Device device : test::devices())
    for (const DType dtype : {DType::f32, DType::f64})
      for (const int64_t n : {0, 1, 31, 33, 257, 1000, 40000})
        for (const double clip : {0.0, 1e6, 0.5}) {
          SCOPED_TRACE(fmt::format("{} of {} on {}, clip {}", n, name_of(dtype), device.str(), clip));
          body(n, dtype, device, clip);
        }
}

/// Gradients of a step as the update sees them: scaled to norm `clip` where they exceed it, limited one by
/// one, and decayed.
std::vector<double> effective(const Tensor& gradient, double clip, double decay, const std::vector<double>& p,
                              double clip_elements = 0) {
  std::vector<double> g = to_doubles(gradient);
  double norm = 0;
  for (const double v : g) norm += v * v;
  norm = std::sqrt(norm);
  for (size_t i = 0; i < g.size(); ++i) {
    if (clip > 0 && norm > clip) g[i] *= clip / norm;
    if (clip_elements > 0) g[i] = std::clamp(g[i], -clip_elements, clip_elements);
    g[i] += decay * p[i];
  }
  return g;
}

Tensor norm_squared(const Tensor& gradient, double clip) {
  if (clip == 0) return {};
  const Tensor norm = Tensor::empty({}, DType::f64, gradient.device());
  sum_squares(gradient, norm);
  return norm;
}

TEST(Naive, adam) {
  for_all([](int64_t n, DType dtype, Device device, double clip) {
    for (const AdamForm form : {AdamForm::torch, AdamForm::chainer})
      for (const double decay : {0.0, 0.01}) {
        const double clip_elements = decay > 0 ? 0.7 : 0;
        const AdamRule rule{0.9, 0.99, 1e-3, decay, form};
        const double lr = 0.05;
        const Tensor p = sample_tensor({n}, dtype, device, -1, 1, 1), m = Tensor::zeros({n}, dtype, device),
                     v = Tensor::zeros({n}, dtype, device), t = Tensor::scalar(int64_t{0}, device);
        std::vector<double> ep = to_doubles(p), em(ep.size()), ev(ep.size());
        for (int step = 1; step <= kSteps; ++step) {
          const Tensor gradient = sample_tensor({n}, dtype, device, -2, 2, 10 + static_cast<uint64_t>(step));
          const std::vector<double> g = effective(gradient, clip, decay, ep, clip_elements);
          const double c1 = 1 - std::pow(rule.beta1, step), c2 = 1 - std::pow(rule.beta2, step);
          for (size_t i = 0; i < ep.size(); ++i) {
            em[i] = rule.beta1 * em[i] + (1 - rule.beta1) * g[i];
            ev[i] = rule.beta2 * ev[i] + (1 - rule.beta2) * g[i] * g[i];
            if (form == AdamForm::torch)
              ep[i] -= lr * (em[i] / c1) / (std::sqrt(ev[i] / c2) + rule.eps);
            else
              ep[i] -= lr * std::sqrt(c2) / c1 * em[i] / (std::sqrt(ev[i]) + rule.eps);
          }
          increment(t);
          adam(alone(AdamStep{.parameter = p,
                              .gradient = gradient,
                              .m = m,
                              .v = v,
                              .t = t,
                              .learning_rate = Tensor::scalar(lr, device),
                              .grad_norm_squared = norm_squared(gradient, clip),
                              .clip = clip,
                              .clip_elements = clip_elements,
                              .rule = rule}));
        }
        const double tolerance = dtype == DType::f32 ? 2e-6 : 1e-13;
        EXPECT_LE(distance(to_doubles(p), ep), tolerance);
        EXPECT_LE(distance(to_doubles(m), em), tolerance);
        EXPECT_LE(distance(to_doubles(v), ev), tolerance);
      }
  });
}

TEST(Naive, sgd) {
  for_all([](int64_t n, DType dtype, Device device, double clip) {
    for (const SgdRule& rule : {SgdRule{}, SgdRule{0.9, 0.01, false}, SgdRule{0.9, 0, true}}) {
      const double lr = 0.05, clip_elements = rule.nesterov ? 0.7 : 0;
      const Tensor p = sample_tensor({n}, dtype, device, -1, 1, 1),
                   velocity = Tensor::zeros({n}, dtype, device);
      std::vector<double> ep = to_doubles(p), eb(ep.size());
      for (int step = 1; step <= kSteps; ++step) {
        const Tensor gradient = sample_tensor({n}, dtype, device, -2, 2, 10 + static_cast<uint64_t>(step));
        const std::vector<double> g = effective(gradient, clip, rule.weight_decay, ep, clip_elements);
        for (size_t i = 0; i < ep.size(); ++i) {
          eb[i] = rule.momentum * eb[i] + g[i];
          ep[i] -= lr * (rule.nesterov ? g[i] + rule.momentum * eb[i] : eb[i]);
        }
        sgd(alone(SgdStep{.parameter = p,
                          .gradient = gradient,
                          .velocity = velocity,
                          .learning_rate = Tensor::scalar(lr, device),
                          .grad_norm_squared = norm_squared(gradient, clip),
                          .clip = clip,
                          .clip_elements = clip_elements,
                          .rule = rule}));
      }
      const double tolerance = dtype == DType::f32 ? 2e-6 : 1e-13;
      EXPECT_LE(distance(to_doubles(p), ep), tolerance);
      EXPECT_LE(distance(to_doubles(velocity), eb), tolerance);
    }
  });
}

TEST(Naive, adagrad) {
  for_all([](int64_t n, DType dtype, Device device, double clip) {
    for (const AdagradRule& rule : {AdagradRule{}, AdagradRule{0.1, 0.01}}) {
      const double lr = 0.05, clip_elements = rule.weight_decay > 0 ? 0.7 : 0;
      const Tensor p = sample_tensor({n}, dtype, device, -1, 1, 1), sum = Tensor::zeros({n}, dtype, device);
      std::vector<double> ep = to_doubles(p), es(ep.size());
      for (int step = 1; step <= kSteps; ++step) {
        const Tensor gradient = sample_tensor({n}, dtype, device, -2, 2, 10 + static_cast<uint64_t>(step));
        const std::vector<double> g = effective(gradient, clip, rule.weight_decay, ep, clip_elements);
        for (size_t i = 0; i < ep.size(); ++i) {
          es[i] += g[i] * g[i];
          ep[i] -= lr * g[i] / (std::sqrt(es[i]) + rule.eps);
        }
        adagrad(alone(AdagradStep{.parameter = p,
                                  .gradient = gradient,
                                  .sum = sum,
                                  .learning_rate = Tensor::scalar(lr, device),
                                  .grad_norm_squared = norm_squared(gradient, clip),
                                  .clip = clip,
                                  .clip_elements = clip_elements,
                                  .rule = rule}));
      }
      // A few roundings a step; where the first gradients are tiny, eps alone keeps their ratio in bounds.
      const double tolerance = dtype == DType::f32 ? 2e-6 : 1e-13;
      EXPECT_LE(distance(to_doubles(p), ep), tolerance);
      EXPECT_LE(distance(to_doubles(sum), es), tolerance);
    }
  });
}

TEST(Naive, start_steps) {
  const Schedule halved = Schedule::steps(0.5, 0.5, 10);
  for (const Device device : test::devices())
    for (const DType dtype : {DType::f32, DType::f64})
      for (const size_t groups : {1, 3, 11}) {
        SCOPED_TRACE(fmt::format("{} groups of {} on {}", groups, name_of(dtype), device.str()));
        const Tensor iteration = Tensor::scalar(int64_t{25}, device), rate = Tensor::scalar(0.75, device);
        std::vector<StepStart> starts(groups);
        std::vector<double> squares(groups);
        for (size_t i = 0; i < groups; ++i) {
          StepStart& s = starts[i];
          s.learning_rate = Tensor::scalar(0.25, device);
          if (i % 2 == 0) s.t = Tensor::scalar(static_cast<int64_t>(40 + i), device);
          if (i % 3 == 1) s.schedule = halved, s.iteration = iteration;
          if (i % 3 == 2) s.rate = rate;
          if (i % 4 == 3) continue;  // not clipped
          s.gradient = sample_tensor({static_cast<int64_t>(9001 * i)}, dtype, device, -1, 1, i);
          s.norm_squared = Tensor::scalar(-1.0, device);
          for (const double g : to_doubles(s.gradient)) squares[i] += g * g;
        }
        start_steps(starts);
        for (size_t i = 0; i < groups; ++i) {
          const StepStart& s = starts[i];
          EXPECT_EQ(s.learning_rate.item(), i % 3 == 1 ? 0.125 : i % 3 == 2 ? 0.75 : 0.25) << i;
          EXPECT_EQ(s.t.defined() ? s.t.item() : 41.0 + static_cast<double>(i),
                    41.0 + static_cast<double>(i));
          const double norm = s.norm_squared.defined() ? s.norm_squared.item() : squares[i];
          EXPECT_NEAR(norm, squares[i], 1e-6 * squares[i]) << i;
        }
      }
}

/// A step of several groups, more than a launch takes, does what steps of each do.
template <class Step, class Kernel>
void expect_as_alone(const Kernel& kernel, Device device,
                     const std::function<Step(int64_t, uint64_t)>& make) {
  std::vector<Step> together;
  for (const int64_t n : {5, 0, 40000, 1, 257, 1000, 31, 33, 7, 4096}) {
    const auto seed = static_cast<uint64_t>(n);
    together.push_back(make(n, seed));
  }
  kernel(together);
  for (const Step& step : together) {
    const Step apart = make(step.parameter.numel(), static_cast<uint64_t>(step.parameter.numel()));
    kernel(alone(apart));
    EXPECT_TRUE(test::same_bits(step.parameter, apart.parameter))
        << step.parameter.numel() << " on " << device.str();
  }
  together[1].parameter = Tensor::empty({0}, DType::f64, device);
  together[1].gradient = together[1].parameter;
  EXPECT_THROW(kernel(together), Error) << "of two dtypes";
}

TEST(Optimizers, GroupsOfOneStepDoNotMix) {
  for (const Device device : test::devices()) {
    const auto numbers = [=](int64_t n, uint64_t seed) {
      return sample_tensor({n}, DType::f32, device, 0.1, 1, seed);
    };
    const auto rate = [=](uint64_t seed) { return Tensor::scalar(0.01 * static_cast<double>(seed), device); };
    expect_as_alone<AdamStep>(adam, device, [&](int64_t n, uint64_t seed) {
      return AdamStep{.parameter = numbers(n, seed),
                      .gradient = numbers(n, seed + 1),
                      .m = numbers(n, seed + 2),
                      .v = numbers(n, seed + 3),
                      .t = Tensor::scalar(static_cast<int64_t>(1 + seed), device),
                      .learning_rate = rate(seed),
                      .grad_norm_squared = rate(seed + 5),
                      .clip = 0.1,
                      .rule = {.weight_decay = 0.01 * static_cast<double>(seed)}};
    });
    expect_as_alone<SgdStep>(sgd, device, [&](int64_t n, uint64_t seed) {
      return SgdStep{.parameter = numbers(n, seed),
                     .gradient = numbers(n, seed + 1),
                     .velocity = numbers(n, seed + 2),
                     .learning_rate = rate(seed),
                     .grad_norm_squared = {},
                     .rule = {.momentum = 0.001 * static_cast<double>(seed)}};
    });
    expect_as_alone<AdagradStep>(adagrad, device, [&](int64_t n, uint64_t seed) {
      return AdagradStep{.parameter = numbers(n, seed),
                         .gradient = numbers(n, seed + 1),
                         .sum = numbers(n, seed + 2),
                         .learning_rate = rate(seed),
                         .grad_norm_squared = {},
                         .rule = {.eps = 0.1 * static_cast<double>(1 + seed)}};
    });
  }
}

TEST(Naive, moving_average) {
  for (const Device device : test::devices())
    for (const DType dtype : {DType::f32, DType::f64})
      for (const int64_t n : {0, 1, 31, 33, 257, 1000, 40000})
        for (const double decay : {0.0, 0.99, 1.0}) {
          const Tensor average = sample_tensor({n}, dtype, device, -1, 1, 1);
          std::vector<double> expected = to_doubles(average);
          for (uint64_t step = 2; step < 5; ++step) {
            const Tensor value = sample_tensor({n}, dtype, device, -2, 2, step);
            const std::vector<double> v = to_doubles(value);
            for (size_t i = 0; i < expected.size(); ++i)
              expected[i] = decay * expected[i] + (1 - decay) * v[i];
            moving_average(value, average, decay);
          }
          EXPECT_LE(distance(to_doubles(average), expected),
                    dtype == DType::f32 ? 5e-7 : 1e-15);  // 3 roundings a step
        }
}

TEST(Optimizers, NotANumberIsNotClippedAway) {
  for (const Device device : test::devices()) {
    const Tensor p = Tensor::zeros({3}, DType::f32, device);
    const Tensor g = test::tensor_of({std::nan(""), HUGE_VAL, 1}, {3}, DType::f32, device);
    SgdStep step;
    step.parameter = p, step.gradient = g, step.velocity = Tensor::zeros({3}, DType::f32, device);
    step.learning_rate = Tensor::scalar(1.0, device), step.clip_elements = 0.5;
    sgd(alone(step));
    const std::vector<double> moved = to_doubles(p);
    EXPECT_TRUE(std::isnan(moved[0]));
    EXPECT_EQ(moved[1], -0.5);
    EXPECT_EQ(moved[2], -0.5);
  }
}

TEST(Optimizers, ZeroGradientsMoveNothing) {
  for (const AdamForm form : {AdamForm::torch, AdamForm::chainer}) {
    const Tensor p = sample_tensor({33}, DType::f32), zero = Tensor::zeros({33});
    const std::vector<double> before = to_doubles(p);
    adam(alone(AdamStep{.parameter = p,
                        .gradient = zero,
                        .m = Tensor::zeros({33}),
                        .v = Tensor::zeros({33}),
                        .t = Tensor::scalar(int64_t{1}),
                        .learning_rate = Tensor::scalar(0.1),
                        .grad_norm_squared = Tensor::scalar(0.0),
                        .clip = 1,
                        .rule = {.form = form}}));
    EXPECT_EQ(to_doubles(p), before);
  }
}

}  // namespace vae::kernels::optimizer_test
