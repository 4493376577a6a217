#pragma once
// The elementwise functions: each is one struct with its value `fwd` and its partial derivatives `d0`, `d1`, `d2` with
// respect to the operands. y is the value already computed. `domain` bounds the operands in tests.
// To add a function: write the struct here and its name into elementwise/list.h.
#include <cmath>

#include "tensor/host_device.h"

namespace vae::kernels {

/// Up to two constants of a function: a slope, an interval, an epsilon.
struct Params {
  double a = 0, b = 0;
};

template <class T>
struct Constants {
  T a, b;
};

inline constexpr double kLog2Pi = 1.8378770664093454836;

namespace detail {
template <class T>
VAE_HD T exp_of(T x) {
  if constexpr (sizeof(T) == 4) return ::expf(x);
  else return ::exp(x);
}
template <class T>
VAE_HD T log_of(T x) {
  if constexpr (sizeof(T) == 4) return ::logf(x);
  else return ::log(x);
}
template <class T>
VAE_HD T expm1_of(T x) {
  if constexpr (sizeof(T) == 4) return ::expm1f(x);
  else return ::expm1(x);
}
template <class T>
VAE_HD T tanh_of(T x) {
  if constexpr (sizeof(T) == 4) return ::tanhf(x);
  else return ::tanh(x);
}
template <class T>
VAE_HD T sqrt_of(T x) {
  if constexpr (sizeof(T) == 4) return ::sqrtf(x);
  else return ::sqrt(x);
}
template <class T>
VAE_HD T abs_of(T x) {
  return x < T(0) ? -x : x;
}
/// log(1 + x) for 0 <= x <= 1. In f32 through 2 atanh(s), s = x / (2 + x) <= 1/3, whose series needs eight terms; it takes
/// half the time of the general function and is as accurate.
template <class T>
VAE_HD T log1p_unit(T x) {
  if constexpr (sizeof(T) == 8) {
    return ::log1p(x);
  } else {
    const T s = x / (T(2) + x), q = s * s;
    T series = T(1.0 / 15);
    series = series * q + T(1.0 / 13);
    series = series * q + T(1.0 / 11);
    series = series * q + T(1.0 / 9);
    series = series * q + T(1.0 / 7);
    series = series * q + T(1.0 / 5);
    series = series * q + T(1.0 / 3);
    return T(2) * s + T(2) * s * (series * q);
  }
}
/// log(1 + e^x), finite for every finite x.
template <class T>
VAE_HD T softplus_of(T x) {
  return (x < T(0) ? T(0) : x) + log1p_unit(exp_of(-abs_of(x)));
}
/// 1 / (1 + e^-x); where e^-x overflows the result is zero, as it should be.
template <class T>
VAE_HD T sigmoid_of(T x) {
  return T(1) / (T(1) + exp_of(-x));
}
}  // namespace detail

#define VAE_FWD1 template <class T> VAE_HD static T fwd(T x, [[maybe_unused]] Constants<T> k)
#define VAE_D1 template <class T> VAE_HD static T d0([[maybe_unused]] T x, [[maybe_unused]] T y, [[maybe_unused]] Constants<T> k)
#define VAE_FWD2 template <class T> VAE_HD static T fwd(T x0, T x1, [[maybe_unused]] Constants<T> k)
#define VAE_D2(i) template <class T> VAE_HD static T d##i([[maybe_unused]] T x0, [[maybe_unused]] T x1, [[maybe_unused]] T y, [[maybe_unused]] Constants<T> k)
#define VAE_FWD3 template <class T> VAE_HD static T fwd(T x0, T x1, T x2, [[maybe_unused]] Constants<T> k)
#define VAE_D3(i) template <class T> VAE_HD static T d##i([[maybe_unused]] T x0, [[maybe_unused]] T x1, [[maybe_unused]] T x2, [[maybe_unused]] T y, [[maybe_unused]] Constants<T> k)

// ---- one operand -------------------------------------------------------------------------------------------------

/// a x + b
struct Affine {
  static constexpr int arity = 1;
  static constexpr double domain[1][2] = {{-3, 3}};
  VAE_FWD1 { return k.a * x + k.b; }
  VAE_D1 { return k.a; }
};

struct Exp {
  static constexpr int arity = 1;
  static constexpr double domain[1][2] = {{-3, 3}};
  VAE_FWD1 { return detail::exp_of(x); }
  VAE_D1 { return y; }
};

/// log(x + a)
struct Log {
  static constexpr int arity = 1;
  static constexpr double domain[1][2] = {{0.2, 3}};
  VAE_FWD1 { return detail::log_of(x + k.a); }
  VAE_D1 { return T(1) / (x + k.a); }
};

struct Sqrt {
  static constexpr int arity = 1;
  static constexpr double domain[1][2] = {{0.2, 3}};
  VAE_FWD1 { return detail::sqrt_of(x); }
  VAE_D1 { return T(0.5) / y; }
};

struct Square {
  static constexpr int arity = 1;
  static constexpr double domain[1][2] = {{-3, 3}};
  VAE_FWD1 { return x * x; }
  VAE_D1 { return x + x; }
};

struct Abs {
  static constexpr int arity = 1;
  static constexpr double domain[1][2] = {{-3, 3}};
  VAE_FWD1 { return detail::abs_of(x); }
  VAE_D1 { return x < T(0) ? T(-1) : x > T(0) ? T(1) : x; }
};

struct Reciprocal {
  static constexpr int arity = 1;
  static constexpr double domain[1][2] = {{0.3, 3}};
  VAE_FWD1 { return T(1) / x; }
  VAE_D1 { return -y * y; }
};

struct Tanh {
  static constexpr int arity = 1;
  static constexpr double domain[1][2] = {{-3, 3}};
  VAE_FWD1 { return detail::tanh_of(x); }
  VAE_D1 { return T(1) - y * y; }
};

struct Sigmoid {
  static constexpr int arity = 1;
  static constexpr double domain[1][2] = {{-4, 4}};
  VAE_FWD1 { return detail::sigmoid_of(x); }
  VAE_D1 { return y * (T(1) - y); }
};

struct Softplus {
  static constexpr int arity = 1;
  static constexpr double domain[1][2] = {{-4, 4}};
  VAE_FWD1 { return detail::softplus_of(x); }
  VAE_D1 { return detail::sigmoid_of(x); }
};

struct Relu {
  static constexpr int arity = 1;
  static constexpr double domain[1][2] = {{-3, 3}};
  VAE_FWD1 { return x < T(0) ? T(0) : x; }
  VAE_D1 { return x > T(0) ? T(1) : T(0); }
};

/// x for x >= 0, a x below
struct LeakyRelu {
  static constexpr int arity = 1;
  static constexpr double domain[1][2] = {{-3, 3}};
  VAE_FWD1 { return x < T(0) ? k.a * x : x; }
  VAE_D1 { return x < T(0) ? k.a : T(1); }
};

/// x for x >= 0, a (e^x - 1) below
struct Elu {
  static constexpr int arity = 1;
  static constexpr double domain[1][2] = {{-3, 3}};
  VAE_FWD1 { return x < T(0) ? k.a * detail::expm1_of(x) : x; }
  VAE_D1 { return x < T(0) ? y + k.a : T(1); }
};

/// x limited to [a, b]; the gradient passes strictly inside
struct Clip {
  static constexpr int arity = 1;
  static constexpr double domain[1][2] = {{-3, 3}};
  VAE_FWD1 { return x < k.a ? k.a : x > k.b ? k.b : x; }
  VAE_D1 { return x > k.a && x < k.b ? T(1) : T(0); }
};

/// b where x >= a, 0 below: the mask of dropout from uniform noise
struct AtLeast {
  static constexpr int arity = 1;
  static constexpr double domain[1][2] = {{-3, 3}};
  VAE_FWD1 { return x >= k.a ? k.b : x < k.a ? T(0) : x; }
  VAE_D1 { return T(0); }
};

/// log N(x; 0, 1) = -(log 2 pi + x^2) / 2
struct LogStandardNormal {
  static constexpr int arity = 1;
  static constexpr double domain[1][2] = {{-3, 3}};
  VAE_FWD1 { return T(-0.5) * (T(kLog2Pi) + x * x); }
  VAE_D1 { return -x; }
};

// ---- two operands ------------------------------------------------------------------------------------------------

struct Add {
  static constexpr int arity = 2;
  static constexpr double domain[2][2] = {{-3, 3}, {-3, 3}};
  VAE_FWD2 { return x0 + x1; }
  VAE_D2(0) { return T(1); }
  VAE_D2(1) { return T(1); }
};

struct Sub {
  static constexpr int arity = 2;
  static constexpr double domain[2][2] = {{-3, 3}, {-3, 3}};
  VAE_FWD2 { return x0 - x1; }
  VAE_D2(0) { return T(1); }
  VAE_D2(1) { return T(-1); }
};

struct Mul {
  static constexpr int arity = 2;
  static constexpr double domain[2][2] = {{-3, 3}, {-3, 3}};
  VAE_FWD2 { return x0 * x1; }
  VAE_D2(0) { return x1; }
  VAE_D2(1) { return x0; }
};

struct Div {
  static constexpr int arity = 2;
  static constexpr double domain[2][2] = {{-3, 3}, {0.3, 3}};
  VAE_FWD2 { return x0 / x1; }
  VAE_D2(0) { return T(1) / x1; }
  VAE_D2(1) { return -y / x1; }
};

/// Bernoulli negative log-likelihood of target x1 under logit x0: softplus(x0) - x0 x1
struct BceLogits {
  static constexpr int arity = 2;
  static constexpr double domain[2][2] = {{-4, 4}, {0, 1}};
  VAE_FWD2 { return detail::softplus_of(x0) - x0 * x1; }
  VAE_D2(0) { return detail::sigmoid_of(x0) - x1; }
  VAE_D2(1) { return -x0; }
};

/// KL(N(mu, e^log_var) || N(0, 1)) = (mu^2 + e^log_var - log_var - 1) / 2
struct KlStandardNormal {
  static constexpr int arity = 2;
  static constexpr double domain[2][2] = {{-3, 3}, {-3, 3}};
  VAE_FWD2 { return T(0.5) * (x0 * x0 + detail::exp_of(x1) - x1 - T(1)); }
  VAE_D2(0) { return x0; }
  VAE_D2(1) { return T(0.5) * (detail::exp_of(x1) - T(1)); }
};

/// E_q log N(z; 0, 1) under q = N(mu, e^log_var): -(log 2 pi + mu^2 + e^log_var) / 2
struct LogStandardNormalMarginal {
  static constexpr int arity = 2;
  static constexpr double domain[2][2] = {{-3, 3}, {-3, 3}};
  VAE_FWD2 { return T(-0.5) * (T(kLog2Pi) + x0 * x0 + detail::exp_of(x1)); }
  VAE_D2(0) { return -x0; }
  VAE_D2(1) { return T(-0.5) * detail::exp_of(x1); }
};

/// One label's part of the unlabelled bound: q (bound - log(q + a)), q = x0, bound = x1
struct WeightedBound {
  static constexpr int arity = 2;
  static constexpr double domain[2][2] = {{0.05, 1}, {-3, 3}};
  VAE_FWD2 { return x0 * (x1 - detail::log_of(x0 + k.a)); }
  VAE_D2(0) { return x1 - detail::log_of(x0 + k.a) - x0 / (x0 + k.a); }
  VAE_D2(1) { return x0; }
};

// ---- three operands ----------------------------------------------------------------------------------------------

/// Sample of N(mu, e^log_var) from noise eps: mu + e^(log_var / 2) eps
struct Reparameterize {
  static constexpr int arity = 3;
  static constexpr double domain[3][2] = {{-3, 3}, {-3, 3}, {-2, 2}};
  VAE_FWD3 { return x0 + detail::exp_of(T(0.5) * x1) * x2; }
  VAE_D3(0) { return T(1); }
  VAE_D3(1) { return T(0.5) * detail::exp_of(T(0.5) * x1) * x2; }
  VAE_D3(2) { return detail::exp_of(T(0.5) * x1); }
};

/// -log N(x; mu, e^v), v = log_var limited to [a, b]: (log 2 pi + v + (x - mu)^2 e^-v) / 2; operands x, mu, log_var
struct GaussianNll {
  static constexpr int arity = 3;
  static constexpr double domain[3][2] = {{-3, 3}, {-3, 3}, {-3, 3}};
  template <class T>
  VAE_HD static T limit(T v, Constants<T> k) {
    return v < k.a ? k.a : v > k.b ? k.b : v;
  }
  VAE_FWD3 {
    const T v = limit(x2, k), d = x0 - x1;
    return T(0.5) * (T(kLog2Pi) + v + d * d * detail::exp_of(-v));
  }
  VAE_D3(0) { return (x0 - x1) * detail::exp_of(-limit(x2, k)); }
  VAE_D3(1) { return (x1 - x0) * detail::exp_of(-limit(x2, k)); }
  VAE_D3(2) {
    const T d = x0 - x1;
    return x2 > k.a && x2 < k.b ? T(0.5) - T(0.5) * d * d * detail::exp_of(-x2) : T(0);
  }
};

#undef VAE_FWD1
#undef VAE_D1
#undef VAE_FWD2
#undef VAE_D2
#undef VAE_FWD3
#undef VAE_D3

}  // namespace vae::kernels
