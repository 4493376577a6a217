#pragma once
// The elementwise functions that are terms of losses and bounds, and random draws. Written as those of ops.h;
// a function whose derivative is deliberately not that of its value says `surrogate`.
#include "kernels/elementwise/formula.h"

namespace vae::kernels {

// ---- one operand
// ---------------------------------------------------------------------------------------------------

/// log N(x; 0, 1) = -(log 2 pi + x^2) / 2
struct LogStandardNormal {
  static constexpr int arity = 1;
  static constexpr double domain[1][2] = {{-3, 3}};
  VAE_FWD1 { return T(-0.5) * (T(kLog2Pi) + x * x); }
  VAE_D1 { return -x; }
};

// ---- two operands
// --------------------------------------------------------------------------------------------------

/// Bernoulli negative log-likelihood of target x1 under logit x0: softplus(x0) - x0 x1
struct BceLogits {
  static constexpr int arity = 2;
  static constexpr double domain[2][2] = {{-4, 4}, {0, 1}};
  VAE_FWD2 { return detail::softplus_of(x0) - x0 * x1; }
  VAE_D2(0) { return detail::sigmoid_of(x0) - x1; }
  VAE_D2(1) { return -x0; }
};

/// Bernoulli negative log-likelihood of target x1 with a <= 1/2 added to both probabilities, r = sigmoid(x0):
/// -x1 log(r + a) - (1 - x1) log(1 - r + a). With e = e^-|x0| the probabilities are 1 / (1 + e) and e / (1 +
/// e), and the logarithms log(1 + a (1 + e)) - log(1 + e) and log(e + a (1 + e)) - log(1 + e).
struct BceFloored {
  static constexpr int arity = 2;
  static constexpr double domain[2][2] = {{-4, 4}, {0, 1}};
  VAE_FWD2 {
    const T e = detail::exp_flushed_of(-detail::abs_of(x0)), floor = k.a * (T(1) + e);
    const T likelier = x0 < T(0) ? T(1) - x1 : x1;
    return detail::log1p_unit(e) - likelier * detail::log1p_unit(floor) -
           (T(1) - likelier) * detail::log_of(e + floor);
  }
  VAE_D2(0) {
    const T r = detail::sigmoid_of(x0);
    return ((T(1) - x1) / ((T(1) - r) + k.a) - x1 / (r + k.a)) * r * (T(1) - r);
  }
  VAE_D2(1) {
    const T r = detail::sigmoid_of(x0);
    return detail::log_of((T(1) - r) + k.a) - detail::log_of(r + k.a);
  }
};

/// Bernoulli negative log-likelihood of target x1 under probability x0, the logarithms at least -100 and the
/// divisor x0 (1 - x0) of the derivative at least 1e-12
struct BceProbability {
  static constexpr int arity = 2;
  static constexpr double domain[2][2] = {{0.05, 0.95}, {0, 1}};
  template <class T>
  VAE_HD static T log_above(T p) {
    const T l = detail::log_of(p);
    return l < T(-100) ? T(-100) : l;
  }
  VAE_FWD2 { return -x1 * log_above(x0) - (T(1) - x1) * log_above(T(1) - x0); }
  VAE_D2(0) {
    const T variance = x0 * (T(1) - x0);
    return (x0 - x1) / (variance < T(1e-12) ? T(1e-12) : variance);
  }
  VAE_D2(1) { return log_above(T(1) - x0) - log_above(x0); }
};

/// (x0 - x1)^2
struct SquaredError {
  static constexpr int arity = 2;
  static constexpr double domain[2][2] = {{-3, 3}, {-3, 3}};
  VAE_FWD2 { return (x0 - x1) * (x0 - x1); }
  VAE_D2(0) { return T(2) * (x0 - x1); }
  VAE_D2(1) { return T(2) * (x1 - x0); }
};

/// (sigmoid(x0) - x1)^2 of logit x0 and target x1
struct SigmoidSquaredError {
  static constexpr int arity = 2;
  static constexpr double domain[2][2] = {{-4, 4}, {0, 1}};
  VAE_FWD2 {
    const T d = detail::sigmoid_of(x0) - x1;
    return d * d;
  }
  VAE_D2(0) {
    const T r = detail::sigmoid_of(x0);
    return T(2) * (r - x1) * r * (T(1) - r);
  }
  VAE_D2(1) { return T(2) * (x1 - detail::sigmoid_of(x0)); }
};

/// KL(N(mu, e^log_var) || N(0, 1)) = (mu^2 + e^log_var - log_var - 1) / 2
struct KlStandardNormal {
  static constexpr int arity = 2;
  static constexpr double domain[2][2] = {{-3, 3}, {-3, 3}};
  VAE_FWD2 { return T(0.5) * (x0 * x0 + detail::exp_of(x1) - x1 - T(1)); }
  VAE_D2(0) { return x0; }
  VAE_D2(1) { return T(0.5) * (detail::exp_of(x1) - T(1)); }
};

/// log N(z; mu, e^log_var) of z = mu + e^(log_var / 2) eps, from eps and log_var: -(log 2 pi + log_var +
/// eps^2) / 2
struct LogNormalDraw {
  static constexpr int arity = 2;
  static constexpr double domain[2][2] = {{-3, 3}, {-3, 3}};
  VAE_FWD2 { return T(-0.5) * (T(kLog2Pi) + x0 * x0 + x1); }
  VAE_D2(0) { return -x0; }
  VAE_D2(1) { return T(-0.5); }
};

/// E_q log N(z; 0, 1) under q = N(mu, e^log_var): -(log 2 pi + mu^2 + e^log_var) / 2
struct LogStandardNormalMarginal {
  static constexpr int arity = 2;
  static constexpr double domain[2][2] = {{-3, 3}, {-3, 3}};
  VAE_FWD2 { return T(-0.5) * (T(kLog2Pi) + x0 * x0 + detail::exp_of(x1)); }
  VAE_D2(0) { return -x0; }
  VAE_D2(1) { return T(-0.5) * detail::exp_of(x1); }
};

/// KL(N(mu, e^x0) || N(mu, e^x1)) = (e^d - d - 1) / 2, d = x0 - x1: what differing variances cost
struct KlVariances {
  static constexpr int arity = 2;
  static constexpr double domain[2][2] = {{-3, 3}, {-3, 3}};
  template <class T>
  VAE_HD static T half_exp(T d) {
    const T root = detail::exp_of(T(0.5) * d);  // e^d itself may overflow where its half does not
    return T(0.5) * root * root;
  }
  VAE_FWD2 { return half_exp(x0 - x1) - T(0.5) * (x0 - x1) - T(0.5); }
  VAE_D2(0) { return half_exp(x0 - x1) - T(0.5); }
  VAE_D2(1) { return T(0.5) - half_exp(x0 - x1); }
};

/// KL(Bernoulli(p) || Bernoulli(q)) of the probabilities p = x0 (1 - a) + a / 2, q likewise from x1: p, q and
/// their complements are at least a / 2. Where p is close to q, logarithms are taken of what they differ by.
struct BernoulliKl {
  static constexpr int arity = 2;
  static constexpr double domain[2][2] = {{0.05, 0.95}, {0.05, 0.95}};
  template <class T>
  VAE_HD static T weakened(T p, Constants<T> k) {
    return p * (T(1) - k.a) + T(0.5) * k.a;
  }
  /// log(p / q), d = p - q. Near one it is log(1 + u), u = d / q, by Kahan's quotient.
  template <class T>
  VAE_HD static T log_ratio(T p, T q, T d) {
    const bool near = detail::abs_of(d) < T(0.5) * q;
    const T u = d / q, ratio = near ? T(1) + u : p / q, e = ratio - T(1), l = detail::log_of(ratio);
    return !near ? l : e == T(0) ? u : l * (u / e);
  }
  VAE_FWD2 {
    const T p = weakened(x0, k), q = weakened(x1, k), not_p = weakened(T(1) - x0, k),
            not_q = weakened(T(1) - x1, k), d = (T(1) - k.a) * (x0 - x1);
    return p * log_ratio(p, q, d) + not_p * log_ratio(not_p, not_q, -d);
  }
  VAE_D2(0) {
    const T p = weakened(x0, k), q = weakened(x1, k), not_p = weakened(T(1) - x0, k),
            not_q = weakened(T(1) - x1, k), d = (T(1) - k.a) * (x0 - x1);
    return (T(1) - k.a) * (log_ratio(p, q, d) - log_ratio(not_p, not_q, -d));
  }
  VAE_D2(1) {
    const T q = weakened(x1, k), not_q = weakened(T(1) - x1, k);
    return (T(1) - k.a) * (T(1) - k.a) * (x1 - x0) / (q * not_q);
  }
};

/// One label's part of the unlabelled bound: q (bound - log(q + a)), q = x0, bound = x1
struct WeightedBound {
  static constexpr int arity = 2;
  static constexpr double domain[2][2] = {{0.05, 1}, {-3, 3}};
  VAE_FWD2 { return x0 * (x1 - detail::log_of(x0 + k.a)); }
  VAE_D2(0) { return x1 - detail::log_of(x0 + k.a) - x0 / (x0 + k.a); }
  VAE_D2(1) { return x0; }
};

/// log(|1 + (1 - x0^2) x1| + a): the log-determinant of a planar flow, x0 = tanh(w z + b), x1 = w u
struct PlanarLogDet {
  static constexpr int arity = 2;
  static constexpr double domain[2][2] = {{-0.95, 0.95}, {-0.9, 3}};
  template <class T>
  VAE_HD static T determinant(T h, T c) {
    return T(1) + (T(1) - h * h) * c;
  }
  /// d log(|D| + a) / dD
  template <class T>
  VAE_HD static T slope(T d, Constants<T> k) {
    return (d < T(0) ? T(-1) : T(1)) / (detail::abs_of(d) + k.a);
  }
  VAE_FWD2 { return detail::log_of(detail::abs_of(determinant(x0, x1)) + k.a); }
  VAE_D2(0) { return slope(determinant(x0, x1), k) * T(-2) * x0 * x1; }
  VAE_D2(1) { return slope(determinant(x0, x1), k) * (T(1) - x0 * x0); }
};

// ---- three operands
// ------------------------------------------------------------------------------------------------

/// -log N(x; mu, e^v), v = log_var limited to [a, b]: (log 2 pi + v + (x - mu)^2 e^-v) / 2; operands x, mu,
/// log_var
struct GaussianNll {
  static constexpr int arity = 3;
  static constexpr double domain[3][2] = {{-3, 3}, {-3, 3}, {-3, 3}};
  template <class T>
  VAE_HD static T limit(T v, Constants<T> k) {
    return v < k.a ? k.a : v > k.b ? k.b : v;
  }
  VAE_FWD3 {
    const T v = limit(x2, k), d = x0 - x1;
    return T(0.5) * (T(kLog2Pi) + v + d * d * detail::finite_exp_of(-v));
  }
  VAE_D3(0) { return (x0 - x1) * detail::finite_exp_of(-limit(x2, k)); }
  VAE_D3(1) { return (x1 - x0) * detail::finite_exp_of(-limit(x2, k)); }
  VAE_D3(2) {
    const T d = x0 - x1;
    return x2 > k.a && x2 < k.b ? T(0.5) - T(0.5) * d * d * detail::finite_exp_of(-x2) : T(0);
  }
};

/// KL(N(x0, e^x2) || N(x1, e^x2)) = (x0 - x1)^2 e^-x2 / 2: what differing means cost
struct KlMeans {
  static constexpr int arity = 3;
  static constexpr double domain[3][2] = {{-3, 3}, {-3, 3}, {-3, 3}};
  VAE_FWD3 {
    const T d = (x0 - x1) * detail::finite_exp_of(T(-0.5) * x2);  // e^-x2 may overflow where this does not
    return T(0.5) * d * d;
  }
  VAE_D3(0) { return (x0 - x1) * detail::finite_exp_of(T(-0.5) * x2) * detail::finite_exp_of(T(-0.5) * x2); }
  VAE_D3(1) { return (x1 - x0) * detail::finite_exp_of(T(-0.5) * x2) * detail::finite_exp_of(T(-0.5) * x2); }
  VAE_D3(2) {
    const T d = (x0 - x1) * detail::finite_exp_of(T(-0.5) * x2);
    return T(-0.5) * d * d;
  }
};

// ---- random draws; the noise is an operand
// -------------------------------------------------------------------------

/// Bernoulli draw: 1 where the uniform noise x1 is below the probability x0, else 0
struct Bernoulli {
  static constexpr int arity = 2;
  static constexpr double domain[2][2] = {{0.1, 0.9}, {0, 1}};
  VAE_FWD2 { return x1 < x0 ? T(1) : x1 >= x0 ? T(0) : x0 + x1; }
  VAE_D2(0) { return T(0); }
  VAE_D2(1) { return T(0); }
};

/// Bernoulli draw b of logit x0 from uniform noise x1, as Bernoulli of sigmoid(x0), with the surrogate
/// derivative |b - sigmoid(x0)| / 2 (the ZGR estimator of a bit: Shekhovtsov, 2023)
struct ZgrBit {
  static constexpr int arity = 2;
  static constexpr double domain[2][2] = {{-4, 4}, {0, 1}};
  static constexpr bool surrogate = true;
  VAE_FWD2 { return Bernoulli::fwd(detail::sigmoid_of(x0), x1, k); }
  VAE_D2(0) { return T(0.5) * detail::abs_of(y - detail::sigmoid_of(x0)); }
  VAE_D2(1) { return T(0); }
};

/// Logits x0 with Gumbel noise from uniform x1, at temperature x2: (x0 - log(a - log(x1 + a))) / x2. Their
/// softmax is a Gumbel-softmax (concrete) sample
struct GumbelLogits {
  static constexpr int arity = 3;
  static constexpr double domain[3][2] = {{-3, 3}, {0.05, 0.95}, {0.3, 2}};
  VAE_FWD3 { return (x0 - detail::log_of(k.a - detail::log_of(x1 + k.a))) / x2; }
  VAE_D3(0) { return T(1) / x2; }
  VAE_D3(1) { return T(1) / ((k.a - detail::log_of(x1 + k.a)) * (x1 + k.a) * x2); }
  VAE_D3(2) { return -y / x2; }
};

}  // namespace vae::kernels
