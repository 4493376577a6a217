#pragma once
// The elementwise functions: each is one struct with its value `fwd` and its partial derivatives `d0`, `d1`,
// `d2` with respect to the operands. y is the value already computed. `domain` bounds the operands in tests.
// To add a function: write the struct here, or in ops_losses.h if it is the term of a bound or a random draw,
// and its name into elementwise/list.h. With `activation`, its default constants, it is an activation
// (kernels/activation.h); with `slope_of_value`, d0(y, y) is its derivative, so that x need not be kept.
#include "kernels/elementwise/formula.h"

namespace vae::kernels {

// ---- one operand
// -------------------------------------------------------------------------------------------------

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

/// log(x + a); b, if any, stands for an x of exactly 0 (an underflow), where there is no gradient then
struct Log {
  static constexpr int arity = 1;
  static constexpr double domain[1][2] = {{0.2, 3}};
  VAE_FWD1 { return detail::log_of((x == T(0) ? k.b : x) + k.a); }
  VAE_D1 { return x == T(0) && k.b != T(0) ? T(0) : T(1) / (x + k.a); }
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

/// 1 / x; a, if any, stands for an x of exactly 0 (an underflow), where there is no gradient then
struct Reciprocal {
  static constexpr int arity = 1;
  static constexpr double domain[1][2] = {{0.3, 3}};
  VAE_FWD1 { return T(1) / (x == T(0) ? k.a : x); }
  VAE_D1 { return x == T(0) && k.a != T(0) ? T(0) : -y * y; }
};

struct Tanh {
  static constexpr int arity = 1;
  static constexpr double domain[1][2] = {{-3, 3}};
  static constexpr Params activation{};
  static constexpr bool slope_of_value = true;
  VAE_FWD1 { return detail::tanh_of(x); }
  VAE_D1 { return T(1) - y * y; }
};

struct Sigmoid {
  static constexpr int arity = 1;
  static constexpr double domain[1][2] = {{-4, 4}};
  static constexpr Params activation{};
  static constexpr bool slope_of_value = true;
  VAE_FWD1 { return detail::sigmoid_of(x); }
  VAE_D1 { return y * (T(1) - y); }
};

struct Softplus {
  static constexpr int arity = 1;
  static constexpr double domain[1][2] = {{-4, 4}};
  static constexpr Params activation{};
  VAE_FWD1 { return detail::softplus_of(x); }
  VAE_D1 { return detail::sigmoid_of(x); }
};

struct Relu {
  static constexpr int arity = 1;
  static constexpr double domain[1][2] = {{-3, 3}};
  static constexpr Params activation{};
  static constexpr bool slope_of_value = true;
  VAE_FWD1 { return x < T(0) ? T(0) : x; }
  VAE_D1 { return x > T(0) ? T(1) : T(0); }
};

/// x for x >= 0, a x below
struct LeakyRelu {
  static constexpr int arity = 1;
  static constexpr double domain[1][2] = {{-3, 3}};
  static constexpr Params activation{0.2};
  VAE_FWD1 { return x < T(0) ? k.a * x : x; }
  VAE_D1 { return x < T(0) ? k.a : T(1); }
};

/// x for x >= 0, a (e^x - 1) below
struct Elu {
  static constexpr int arity = 1;
  static constexpr double domain[1][2] = {{-3, 3}};
  static constexpr Params activation{1};
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

// ---- two operands
// ------------------------------------------------------------------------------------------------

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

/// x0 + a x1 + b
struct AddScaled {
  static constexpr int arity = 2;
  static constexpr double domain[2][2] = {{-3, 3}, {-3, 3}};
  VAE_FWD2 { return x0 + k.a * x1 + k.b; }
  VAE_D2(0) { return T(1); }
  VAE_D2(1) { return k.a; }
};

/// a |x0 - x1|
struct AbsDifference {
  static constexpr int arity = 2;
  static constexpr double domain[2][2] = {{-3, 3}, {-3, 3}};
  template <class T>
  VAE_HD static T sign(T d) {
    return d < T(0) ? T(-1) : d > T(0) ? T(1) : d;
  }
  VAE_FWD2 { return k.a * detail::abs_of(x0 - x1); }
  VAE_D2(0) { return k.a * sign(x0 - x1); }
  VAE_D2(1) { return k.a * sign(x1 - x0); }
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

// ---- three operands
// ----------------------------------------------------------------------------------------------

/// Sample of N(mu, e^log_var) from noise eps: mu + e^(log_var / 2) eps
struct Reparameterize {
  static constexpr int arity = 3;
  static constexpr double domain[3][2] = {{-3, 3}, {-3, 3}, {-2, 2}};
  VAE_FWD3 { return x0 + detail::exp_of(T(0.5) * x1) * x2; }
  VAE_D3(0) { return T(1); }
  VAE_D3(1) { return T(0.5) * detail::exp_of(T(0.5) * x1) * x2; }
  VAE_D3(2) { return detail::exp_of(T(0.5) * x1); }
};

/// Running mean of n = x2 numbers, the last of which is x1, from that of all but the last: x0 + (x1 - x0) / n
struct RunningMean {
  static constexpr int arity = 3;
  static constexpr double domain[3][2] = {{-3, 3}, {-3, 3}, {1, 4}};
  VAE_FWD3 { return x0 + (x1 - x0) / x2; }
  VAE_D3(0) { return T(1) - T(1) / x2; }
  VAE_D3(1) { return T(1) / x2; }
  VAE_D3(2) { return (x0 - x1) / (x2 * x2); }
};

/// Convex combination t x0 + (1 - t) x1, t = x2; exactly x0 at t = 1 and x1 at t = 0
struct Lerp {
  static constexpr int arity = 3;
  static constexpr double domain[3][2] = {{-3, 3}, {-3, 3}, {0, 1}};
  VAE_FWD3 { return x2 * x0 + (T(1) - x2) * x1; }
  VAE_D3(0) { return x2; }
  VAE_D3(1) { return T(1) - x2; }
  VAE_D3(2) { return x0 - x1; }
};

}  // namespace vae::kernels
