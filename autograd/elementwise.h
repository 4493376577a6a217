#pragma once
// Differentiable elementwise functions: any of kernels/elementwise/list.h, and the usual ones by name. The
// operands broadcast into the largest.
#include "autograd/tape.h"
#include "kernels/kernels.h"

namespace vae::autograd {

/// y = f(x...), for any function of the list. Rows of smaller operands repeat.
Var map(kernels::Map op, std::initializer_list<Var> x, kernels::Params params = {});
/// y[r] = params.scale times the sum over the columns of f(x...), without storing the terms. Rows of smaller
/// operands repeat.
Var rowsum(kernels::Map op, std::initializer_list<Var> x, kernels::Params params = {});

namespace detail {
/// What the functions with a name are made of: map() and rowsum() whose messages speak of a signature
/// (function.h). An operand is of the shape of the largest, its trailing extents, a column [rows, 1] or one
/// number; its rows repeat only where repeating() says so. Row sums take no images. Else: Error(usage).
Var map(const char* signature, kernels::Map op, std::initializer_list<Var> x, kernels::Params params = {});
Var rowsum(const char* signature, kernels::Map op, std::initializer_list<Var> x, kernels::Params params = {});
}  // namespace detail

inline Var affine(const Var& x, double a, double b) {
  return detail::map("affine(x)", kernels::Map::affine, {x}, {a, b});
}
inline Var exp(const Var& x) { return detail::map("exp(x)", kernels::Map::exp, {x}); }
/// log(x + eps); `of_zero`, if any, stands for an x of exactly 0, where there is no gradient then.
inline Var log(const Var& x, double eps = 0, double of_zero = 0) {
  return detail::map("log(x)", kernels::Map::log, {x}, {eps, of_zero});
}
inline Var sqrt(const Var& x) { return detail::map("sqrt(x)", kernels::Map::sqrt, {x}); }
inline Var abs(const Var& x) { return detail::map("abs(x)", kernels::Map::abs, {x}); }
inline Var square(const Var& x) { return detail::map("square(x)", kernels::Map::square, {x}); }
/// 1 / x; `of_zero` as in log().
inline Var reciprocal(const Var& x, double of_zero = 0) {
  return detail::map("reciprocal(x)", kernels::Map::reciprocal, {x}, {of_zero, 0});
}
/// scale |a - b|
inline Var abs_difference(const Var& a, const Var& b, double scale = 1) {
  return detail::map("abs_difference(a, b)", kernels::Map::abs_difference, {a, b}, {scale, 0});
}
inline Var clip(const Var& x, double low, double high) {
  return detail::map("clip(x)", kernels::Map::clip, {x}, {low, high});
}
inline Var operator+(const Var& a, const Var& b) { return detail::map("a + b", kernels::Map::add, {a, b}); }
inline Var operator-(const Var& a, const Var& b) { return detail::map("a - b", kernels::Map::sub, {a, b}); }
inline Var operator*(const Var& a, const Var& b) { return detail::map("a * b", kernels::Map::mul, {a, b}); }
inline Var operator/(const Var& a, const Var& b) { return detail::map("a / b", kernels::Map::div, {a, b}); }
/// x itself where that is the result, here and in x + b.
inline Var operator*(double a, const Var& x) {
  if (a == 1 && x.defined()) return x;
  return detail::map("x * number", kernels::Map::affine, {x}, {a, 0});
}
inline Var operator+(const Var& x, double b) {
  if (b == 0 && x.defined()) return x;
  return detail::map("x + number", kernels::Map::affine, {x}, {1, b});
}
inline Var operator-(const Var& x) { return detail::map("-x", kernels::Map::affine, {x}, {-1, 0}); }
/// x + a y + b
inline Var add_scaled(const Var& x, double a, const Var& y, double b = 0) {
  return detail::map("add_scaled(x, y)", kernels::Map::add_scaled, {x, y}, {a, b});
}

// ---- activations

inline Var tanh(const Var& x) { return detail::map("tanh(x)", kernels::Map::tanh, {x}); }
inline Var sigmoid(const Var& x) { return detail::map("sigmoid(x)", kernels::Map::sigmoid, {x}); }
inline Var softplus(const Var& x) { return detail::map("softplus(x)", kernels::Map::softplus, {x}); }
inline Var relu(const Var& x) { return detail::map("relu(x)", kernels::Map::relu, {x}); }
inline Var leaky_relu(const Var& x, double slope) {
  return detail::map("leaky_relu(x)", kernels::Map::leaky_relu, {x}, {slope, 0});
}
inline Var elu(const Var& x, double alpha) {
  return detail::map("elu(x)", kernels::Map::elu, {x}, {alpha, 0});
}
/// The identity where there is no function.
Var activate(const kernels::Activation& activation, const Var& x);

// ---- noise is an operand, drawn by the caller

/// Inverted dropout from uniform noise of the shape of x: x / (1 - ratio) where the noise is at least ratio,
/// else 0.
inline Var dropout(const Var& x, const Tensor& uniform, double ratio) {
  return detail::map("dropout(x, uniform)", kernels::Map::mul,
                     {x, map(kernels::Map::at_least, {Var(uniform)}, {ratio, 1 / (1 - ratio)})});
}
/// Sample mu + e^(log_var / 2) eps of N(mu, e^log_var).
inline Var reparameterize(const Var& mu, const Var& log_var, const Var& eps) {
  return detail::map("reparameterize(mu, log_var, eps)", kernels::Map::reparameterize, {mu, log_var, eps});
}
/// 1 where uniform < p, else 0; no gradient.
inline Var bernoulli(const Var& p, const Tensor& uniform) {
  return detail::map("bernoulli(p, uniform)", kernels::Map::bernoulli, {p, Var(uniform)});
}
/// Bits of probability sigmoid(logits), with the ZGR surrogate gradient |bit - sigmoid(logits)| / 2.
inline Var zgr_bit(const Var& logits, const Tensor& uniform) {
  return detail::map("zgr_bit(logits, uniform)", kernels::Map::zgr_bit, {logits, Var(uniform)});
}

}  // namespace vae::autograd
