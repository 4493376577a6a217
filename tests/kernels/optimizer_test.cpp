// Optimiser kernels against their formulas, one number at a time, over several steps.
#include <gtest/gtest.h>

#include "tests/numeric.h"

namespace vae::kernels {
namespace {

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
          adam({.parameter = p,
                .gradient = gradient,
                .m = m,
                .v = v,
                .t = t,
                .learning_rate = Tensor::scalar(lr, device),
                .grad_norm_squared = norm_squared(gradient, clip),
                .clip = clip,
                .clip_elements = clip_elements,
                .rule = rule});
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
        sgd({.parameter = p,
             .gradient = gradient,
             .velocity = velocity,
             .learning_rate = Tensor::scalar(lr, device),
             .grad_norm_squared = norm_squared(gradient, clip),
             .clip = clip,
             .clip_elements = clip_elements,
             .rule = rule});
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
        adagrad({.parameter = p,
                 .gradient = gradient,
                 .sum = sum,
                 .learning_rate = Tensor::scalar(lr, device),
                 .grad_norm_squared = norm_squared(gradient, clip),
                 .clip = clip,
                 .clip_elements = clip_elements,
                 .rule = rule});
      }
      // A few roundings a step; where the first gradients are tiny, eps alone keeps their ratio in bounds.
      const double tolerance = dtype == DType::f32 ? 2e-6 : 1e-13;
      EXPECT_LE(distance(to_doubles(p), ep), tolerance);
      EXPECT_LE(distance(to_doubles(sum), es), tolerance);
    }
  });
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
    sgd(step);
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
    adam({.parameter = p,
          .gradient = zero,
          .m = Tensor::zeros({33}),
          .v = Tensor::zeros({33}),
          .t = Tensor::scalar(int64_t{1}),
          .learning_rate = Tensor::scalar(0.1),
          .grad_norm_squared = Tensor::scalar(0.0),
          .clip = 1,
          .rule = {.form = form}});
    EXPECT_EQ(to_doubles(p), before);
  }
}

}  // namespace
}  // namespace vae::kernels
