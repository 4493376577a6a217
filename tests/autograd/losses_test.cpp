// Losses, divergences, draws and flows: values and surrogate gradients against the formulas written out.
#include <gtest/gtest.h>

#include "autograd/ops.h"
#include "tests/numeric.h"

namespace vae::autograd {
namespace {

using test::distance;

Var sample(Shape shape, double low, double high, uint64_t stream, DType dtype = DType::f64) {
  return Var(test::sample_tensor(shape, dtype, kCpu, low, high, stream));
}

double sigmoid_at(double x) { return 1 / (1 + std::exp(-x)); }

/// KL of two Gaussians in one dimension, by the textbook: log(s_p / s_q) + (s_q^2 + d^2) / (2 s_p^2) - 1/2.
double kl_at(double mu_q, double log_var_q, double mu_p, double log_var_p) {
  const double s_q = std::exp(log_var_q / 2), s_p = std::exp(log_var_p / 2), d = mu_q - mu_p;
  return std::log(s_p / s_q) + (s_q * s_q + d * d) / (2 * s_p * s_p) - 0.5;
}

TEST(Losses, GaussianKl) {
  const Var mq = sample({4, 7}, -2, 2, 1), lq = sample({4, 7}, -3, 3, 2), mp = sample({4, 7}, -2, 2, 3),
            lp = sample({4, 7}, -3, 3, 4);
  const std::vector<double> a = to_doubles(mq.value()), b = to_doubles(lq.value()),
                            c = to_doubles(mp.value()), d = to_doubles(lp.value());
  std::vector<double> expected(4);
  for (size_t i = 0; i < 28; ++i) expected[i / 7] += kl_at(a[i], b[i], c[i], d[i]);
  EXPECT_LE(distance(to_doubles(gaussian_kl(mq, lq, mp, lp).value()), expected), 1e-14);
  EXPECT_EQ(to_doubles(gaussian_kl(mq, lq, mq, lq).value()), std::vector<double>(4, 0.0));
}

TEST(Losses, GaussianKlMatrix) {
  for (const DType dtype : {DType::f64, DType::f32}) {
    // Far from the origin: only the differences of the means matter.
    const Var mq = sample({6, 9}, 98, 102, 1, dtype), lq = sample({6, 9}, -2, 2, 2, dtype),
              mp = sample({5, 9}, 98, 102, 3, dtype), lp = sample({5, 9}, -2, 2, 4, dtype);
    const std::vector<double> a = to_doubles(mq.value()), b = to_doubles(lq.value()),
                              c = to_doubles(mp.value()), d = to_doubles(lp.value());
    std::vector<double> expected(30);
    for (size_t i = 0; i < 6; ++i)
      for (size_t j = 0; j < 5; ++j)
        for (size_t k = 0; k < 9; ++k)
          expected[i * 5 + j] += kl_at(a[i * 9 + k], b[i * 9 + k], c[j * 9 + k], d[j * 9 + k]);
    // Means near 100 are exact to 4e-6 in f32, differences from the centre after that to 1e-5.
    EXPECT_LE(distance(to_doubles(gaussian_kl_matrix(mq, lq, mp, lp).value()), expected),
              dtype == DType::f32 ? 2e-5 : 1e-13);
  }
  const Var m = sample({5, 9}, -2, 2, 1, DType::f32), l = sample({5, 9}, -2, 2, 2, DType::f32);
  const std::vector<double> own = to_doubles(gaussian_kl_matrix(m, l, m, l).value());
  for (size_t i = 0; i < 5; ++i)
    for (size_t j = 0; j < 5; ++j) EXPECT_TRUE(own[i * 6] <= own[i * 5 + j]) << i << " is nearest to itself";
}

TEST(Losses, Reconstruction) {
  const Var s = sample({3, 5}, -4, 4, 1), t = sample({3, 5}, 0, 1, 2);
  const std::vector<double> sv = to_doubles(s.value()), tv = to_doubles(t.value());
  std::vector<double> squared(3), sigmoid_squared(3), floored(3), of_probability(3);
  for (size_t i = 0; i < 15; ++i) {
    const double r = sigmoid_at(sv[i]);
    squared[i / 5] += std::pow(sv[i] - tv[i], 2);
    sigmoid_squared[i / 5] += std::pow(r - tv[i], 2);
    floored[i / 5] -= tv[i] * std::log(r + 1e-3) + (1 - tv[i]) * std::log(1 - r + 1e-3);
    of_probability[i / 5] -= tv[i] * std::log(r) + (1 - tv[i]) * std::log(1 - r);
  }
  EXPECT_LE(distance(to_doubles(squared_error(s, t).value()), squared), 1e-14);
  EXPECT_LE(distance(to_doubles(sigmoid_squared_error(s, t).value()), sigmoid_squared), 1e-14);
  EXPECT_LE(distance(to_doubles(bernoulli_nll_floored(s, t, 1e-3).value()), floored), 1e-14);
  EXPECT_LE(distance(to_doubles(bernoulli_nll_of_probability(sigmoid(s), t).value()), of_probability), 1e-14);
  EXPECT_LE(distance(to_doubles(bernoulli_nll(s, t).value()), of_probability), 1e-14);
}

TEST(Losses, FloorsAndClampsBoundAnElement) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Var logit(test::tensor_of({1e4, -1e4, 90, -90}, {4, 1}, dtype)),
        wrong(test::tensor_of({0, 1, 0, 1}, {4, 1}, dtype));
    const double most = -std::log(1e-8);
    EXPECT_LE(
        distance(to_doubles(bernoulli_nll_floored(logit, wrong, 1e-8).value()), {most, most, most, most}),
        1e-6);
    const Var p(test::tensor_of({1, 0, 1, 0}, {4, 1}, dtype), true),
        right(test::tensor_of({1, 0, 0, 1}, {4, 1}, dtype));
    Tape tape;
    const Var nll = bernoulli_nll_of_probability(p, right);
    EXPECT_EQ(to_doubles(nll.value()), (std::vector<double>{0, 0, 100, 100}));
    tape.backward(sum(nll));
    EXPECT_LE(distance(to_doubles(p.grad()), {0, 0, 1e12, -1e12}), 1e-6);
  }
}

TEST(Losses, BernoulliKlOfWeakenedProbabilities) {
  const double w = 1e-6;
  const auto kl = [w](double p, double q) {
    p = p * (1 - w) + w / 2, q = q * (1 - w) + w / 2;
    return p * (std::log(p) - std::log(q)) + (1 - p) * (std::log(1 - p) - std::log(1 - q));
  };
  const std::vector<double> ps{0, 0, 1, 1, 0.3, 0.5, 0.999}, qs{0, 1, 0, 1, 0.3, 0.1, 0.5};
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Var p(test::tensor_of(ps, {7, 1}, dtype)), q(test::tensor_of(qs, {7, 1}, dtype));
    std::vector<double> expected;
    for (size_t i = 0; i < ps.size(); ++i)
      expected.push_back(kl(to_doubles(p.value())[i], to_doubles(q.value())[i]));
    // The loop above rounds 1 - q near 5e-7 to 1e-16, its logarithm to 2e-10.
    EXPECT_LE(distance(to_doubles(bernoulli_kl(p, q, w).value()), expected),
              dtype == DType::f32 ? 1e-6 : 1e-10);
  }
}

TEST(Losses, CrossEntropyOfSoftTargets) {
  const Var logits = sample({4, 5}, -3, 3, 1), target = softmax(sample({4, 5}, -1, 1, 2));
  const std::vector<double> l = to_doubles(logits.value()), t = to_doubles(target.value());
  double expected = 0;
  for (size_t r = 0; r < 4; ++r) {
    double total = 0;
    for (size_t c = 0; c < 5; ++c) total += std::exp(l[r * 5 + c]);
    for (size_t c = 0; c < 5; ++c) expected -= t[r * 5 + c] * (l[r * 5 + c] - std::log(total)) / 4;
  }
  EXPECT_NEAR(cross_entropy(logits, target).value().item(), expected, 1e-14);
  const Tensor labels = Tensor::from(std::vector<int64_t>{4, 0, 2, 2}, {4});
  const Tensor hot = Tensor::empty({4, 5}, DType::f64);
  kernels::one_hot(labels, hot);
  EXPECT_NEAR(cross_entropy(logits, Var(hot)).value().item(), cross_entropy(logits, labels).value().item(),
              1e-14);
}

TEST(Draws, BernoulliComparesWithTheNoise) {
  const Var p(test::tensor_of({0, 1, 0.5, 0.5, 0.5}, {5}, DType::f32));
  const Tensor u = test::tensor_of({0, 0.999, 0.5, 0.499, 0.501}, {5}, DType::f32);
  EXPECT_EQ(to_doubles(bernoulli(p, u).value()), (std::vector<double>{0, 1, 0, 1, 0}));
}

TEST(Draws, ZgrBitHasItsSurrogateGradient) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Var logits(test::sample_tensor({31, 33}, dtype, kCpu, -6, 6, 1), true);
    const Tensor u = test::sample_tensor({31, 33}, dtype, kCpu, 0, 1, 2);
    const Var dy = sample({31, 33}, -2, 2, 3, dtype);
    Tape tape;
    const Var bits = zgr_bit(logits, u);
    tape.backward(sum(bits * dy));
    const std::vector<double> l = to_doubles(logits.value()), noise = to_doubles(u),
                              g = to_doubles(dy.value());
    std::vector<double> expected_bits, expected;
    for (size_t i = 0; i < l.size(); ++i) {
      const double p = sigmoid_at(l[i]), b = noise[i] < p ? 1 : 0;
      expected_bits.push_back(b);
      expected.push_back(g[i] * (b * (1 - p) + (1 - b) * p) / 2);
    }
    EXPECT_EQ(to_doubles(bits.value()), expected_bits);
    EXPECT_LE(distance(to_doubles(logits.grad()), expected), dtype == DType::f32 ? 1e-6 : 1e-14);
    EXPECT_TRUE(test::same_bits(bits.value(), bernoulli(sigmoid(logits), u).value()));
  }
}

TEST(Draws, GumbelSoftmax) {
  const Var logits = sample({4, 6}, -3, 3, 1), tau(test::tensor_of({0.67}, {}, DType::f64));
  const Tensor u = test::sample_tensor({4, 6}, DType::f64, kCpu, 0, 1, 2);
  const double eps = 1e-8;
  const std::vector<double> l = to_doubles(logits.value()), noise = to_doubles(u);
  std::vector<double> expected(24);
  for (size_t r = 0; r < 4; ++r) {
    double total = 0;
    for (size_t i = r * 6; i < r * 6 + 6; ++i)
      total += expected[i] = std::exp((l[i] - std::log(-std::log(noise[i] + eps) + eps)) / 0.67);
    for (size_t i = r * 6; i < r * 6 + 6; ++i) expected[i] /= total;
  }
  EXPECT_LE(distance(to_doubles(gumbel_softmax(logits, u, tau, eps).value()), expected), 1e-14);
}

TEST(Draws, GumbelNoiseIsFiniteAtTheEndsOfTheInterval) {
  for (const DType dtype : {DType::f32, DType::f64})
    for (const double eps : {1e-8, 1e-12}) {
      const Var logits(test::tensor_of({1e4, -1e4, 0, 90}, {1, 4}, dtype)),
          tau(test::tensor_of({0.67}, {}, dtype));
      const Tensor u = test::tensor_of({0, 1 - 0x1p-24, 1 - 0x1p-24, 0}, {1, 4}, dtype);
      for (const double v : to_doubles(gumbel_softmax(logits, u, tau, eps).value()))
        EXPECT_TRUE(std::isfinite(v));
    }
}

/// Determinant of a small matrix by elimination with pivots.
double determinant(std::vector<std::vector<double>> m) {
  double result = 1;
  for (size_t k = 0; k < m.size(); ++k) {
    size_t pivot = k;
    for (size_t r = k; r < m.size(); ++r)
      if (std::abs(m[r][k]) > std::abs(m[pivot][k])) pivot = r;
    std::swap(m[k], m[pivot]);
    result *= pivot == k ? m[k][k] : -m[k][k];
    for (size_t r = k + 1; r < m.size(); ++r)
      for (size_t c = m.size(); c-- > k;) m[r][c] -= m[k][c] * m[r][k] / m[k][k];
  }
  return result;
}

// The flow against its formula, its log-determinant against the Jacobian of the formula.
TEST(Flows, Planar) {
  constexpr size_t d = 4;
  for (const double strength : {1.0, -5.0}) {  // u w far below -1 too, where the plain flow does not invert
    const Var z = sample({6, d}, -2, 2, 1), w = sample({d}, 0.3, 2, 3),
              b(test::tensor_of({0.7}, {}, DType::f64));
    const Var u = strength * sample({d}, 0.2, 2, 2);
    const std::vector<double> uv = to_doubles(u.value()), wv = to_doubles(w.value());
    double uw = 0, ww = 0;
    for (size_t k = 0; k < d; ++k) uw += uv[k] * wv[k], ww += wv[k] * wv[k];
    std::vector<double> hat(d);
    for (size_t k = 0; k < d; ++k) hat[k] = uv[k] + (std::log1p(std::exp(uw)) - 1 - uw) * wv[k] / ww;
    std::vector<double> expected, expected_log_det;
    const std::vector<double> zv = to_doubles(z.value());
    for (size_t r = 0; r < 6; ++r) {
      double t = 0.7;
      for (size_t k = 0; k < d; ++k) t += wv[k] * zv[r * d + k];
      std::vector<std::vector<double>> jacobian(d, std::vector<double>(d));
      for (size_t i = 0; i < d; ++i) {
        expected.push_back(zv[r * d + i] + hat[i] * std::tanh(t));
        for (size_t j = 0; j < d; ++j)
          jacobian[i][j] = (i == j) + hat[i] * wv[j] / (std::cosh(t) * std::cosh(t));
      }
      expected_log_det.push_back(std::log(std::abs(determinant(jacobian)) + 1e-8));
    }
    const PlanarFlow flow = planar_flow(z, u, w, b, 1e-8);
    EXPECT_LE(distance(to_doubles(flow.z.value()), expected), 1e-14);
    EXPECT_LE(distance(to_doubles(flow.log_det.value()), expected_log_det), 1e-11);
  }
}

}  // namespace
}  // namespace vae::autograd
