#pragma once
// The differentiable functions. Shapes are [rows, columns] unless stated; "rows" functions sum over the
// columns and return one number per row. Elementwise functions broadcast as kernels/elementwise/map.h says.
#include <limits>
#include <vector>

#include "autograd/tape.h"
#include "kernels/kernels.h"

namespace vae::autograd {

// ---- elementwise
// -------------------------------------------------------------------------------------------------

/// y = f(x...) for any function of the elementwise list; the others broadcast into the largest operand.
Var map(kernels::Map op, std::initializer_list<Var> x, kernels::Params params = {});
/// y[r] = sum over the columns of f(x...), as map.
Var rowsum(kernels::Map op, std::initializer_list<Var> x, kernels::Params params = {});

inline Var affine(const Var& x, double a, double b) { return map(kernels::Map::affine, {x}, {a, b}); }
inline Var exp(const Var& x) { return map(kernels::Map::exp, {x}); }
inline Var log(const Var& x, double eps = 0) { return map(kernels::Map::log, {x}, {eps, 0}); }
inline Var sqrt(const Var& x) { return map(kernels::Map::sqrt, {x}); }
inline Var abs(const Var& x) { return map(kernels::Map::abs, {x}); }
inline Var square(const Var& x) { return map(kernels::Map::square, {x}); }
inline Var reciprocal(const Var& x) { return map(kernels::Map::reciprocal, {x}); }
inline Var tanh(const Var& x) { return map(kernels::Map::tanh, {x}); }
inline Var sigmoid(const Var& x) { return map(kernels::Map::sigmoid, {x}); }
inline Var softplus(const Var& x) { return map(kernels::Map::softplus, {x}); }
inline Var relu(const Var& x) { return map(kernels::Map::relu, {x}); }
inline Var leaky_relu(const Var& x, double slope) { return map(kernels::Map::leaky_relu, {x}, {slope, 0}); }
inline Var elu(const Var& x, double alpha) { return map(kernels::Map::elu, {x}, {alpha, 0}); }
inline Var clip(const Var& x, double low, double high) { return map(kernels::Map::clip, {x}, {low, high}); }
inline Var operator+(const Var& a, const Var& b) { return map(kernels::Map::add, {a, b}); }
inline Var operator-(const Var& a, const Var& b) { return map(kernels::Map::sub, {a, b}); }
inline Var operator*(const Var& a, const Var& b) { return map(kernels::Map::mul, {a, b}); }
inline Var operator/(const Var& a, const Var& b) { return map(kernels::Map::div, {a, b}); }
inline Var operator*(double a, const Var& x) { return affine(x, a, 0); }
inline Var operator+(const Var& x, double b) { return affine(x, 1, b); }
inline Var operator-(const Var& x) { return affine(x, -1, 0); }

/// Sample mu + e^(log_var / 2) eps of N(mu, e^log_var).
inline Var reparameterize(const Var& mu, const Var& log_var, const Var& eps) {
  return map(kernels::Map::reparameterize, {mu, log_var, eps});
}

// ---- terms of variational bounds, nats per row
// -------------------------------------------------------------------

/// -log Bernoulli(target; sigmoid(logits)); target may have fewer rows and repeats.
inline Var bernoulli_nll(const Var& logits, const Var& target) {
  return rowsum(kernels::Map::bce_logits, {logits, target});
}
/// -log N(x; mu, e^log_var) with log_var limited to [low, high]; x may have fewer rows and repeats.
inline Var gaussian_nll(const Var& x, const Var& mu, const Var& log_var,
                        double low = -std::numeric_limits<double>::infinity(),
                        double high = std::numeric_limits<double>::infinity()) {
  return rowsum(kernels::Map::gaussian_nll, {x, mu, log_var}, {low, high});
}
/// KL(N(mu, e^log_var) || N(0, I))
inline Var kl_standard_normal(const Var& mu, const Var& log_var) {
  return rowsum(kernels::Map::kl_standard_normal, {mu, log_var});
}
/// log N(z; 0, I)
inline Var log_standard_normal(const Var& z) { return rowsum(kernels::Map::log_standard_normal, {z}); }
/// E log N(z; 0, I) over z ~ N(mu, e^log_var)
inline Var log_standard_normal_marginal(const Var& mu, const Var& log_var) {
  return rowsum(kernels::Map::log_standard_normal_marginal, {mu, log_var});
}
/// E log q(z) over z ~ q = N(mu, e^log_var): minus its entropy
inline Var negative_entropy(const Var& log_var) {
  return rowsum(kernels::Map::affine, {log_var}, {-0.5, -0.5 * (kernels::kLog2Pi + 1)});
}
/// sum_n q_n (bound_n - log(q_n + eps))
inline Var weighted_bound(const Var& q, const Var& bound, double eps) {
  return rowsum(kernels::Map::weighted_bound, {q, bound}, {eps, 0});
}

// ---- linear algebra
// ----------------------------------------------------------------------------------------------

/// x W^T + b for W [out, in]; b is [out], or [n, out] whose rows repeat, or undefined.
Var linear(const Var& x, const Var& weight, const Var& bias);
/// x[m, n] -> [n, m]
Var transpose(const Var& x);
/// The same elements under another shape; in the second form one extent may be -1.
Var reshape(const Var& x, const Shape& shape);
Var reshape(const Var& x, std::initializer_list<int64_t> extents);

// ---- structure
// ---------------------------------------------------------------------------------------------------

/// Rows k * B + b = a[b] + v[k] from a[B, n] and v[K, n]: every row of a under every row of v.
Var outer_add(const Var& a, const Var& v);
/// Rows k * B + b = a[k * B + b] + v[k] from a[K * B, n] and v[K, n]: block k of a plus v[k].
Var add_blocks(const Var& a, const Var& v);
/// x[B, n] stacked `copies` times: [copies * B, n]; with groups, each of so many blocks of rows.
Var repeat_rows(const Var& x, int64_t copies, int64_t groups = 1);
/// Inverted dropout from uniform noise of the shape of x: x / (1 - ratio) where the noise is at least ratio,
/// else 0.
inline Var dropout(const Var& x, const Tensor& uniform, double ratio) {
  return x * map(kernels::Map::at_least, {Var(uniform)}, {ratio, 1 / (1 - ratio)});
}
/// Sum of all elements, scaled.
Var sum(const Var& x, double scale = 1);
/// Mean of all elements.
Var mean(const Var& x);

// ---- classification
// ----------------------------------------------------------------------------------------------

Var softmax(const Var& x);
Var log_softmax(const Var& x);
/// x[r, labels[r]] for i64 labels
Var pick(const Var& x, const Tensor& labels);
/// Mean over rows of -log softmax(logits)[label].
Var cross_entropy(const Var& logits, const Tensor& labels);

// ---- batch norm
// --------------------------------------------------------------------------------------------------

/// Batch norm in training mode and the activation behind it (kernels/batch_norm.h); running statistics, where
/// defined, are updated in place.
Var batch_norm(const Var& x, const Var& gamma, const Var& beta, const Tensor& running_mean,
               const Tensor& running_var, kernels::BatchNormRule rule,
               const kernels::Activation& activation = {});

}  // namespace vae::autograd
