#pragma once
// Differentiable losses, terms of bounds and random draws beyond those of ops.h. "Per row": summed over the
// columns, nats. Noise is an operand, drawn by the caller.
#include "autograd/ops_structure.h"

namespace vae::autograd {

// ---- reconstruction, per row

/// sum (a - b)^2
inline Var squared_error(const Var& a, const Var& b) { return rowsum(kernels::Map::squared_error, {a, b}); }
/// sum (sigmoid(logits) - target)^2
inline Var sigmoid_squared_error(const Var& logits, const Var& target) {
  return rowsum(kernels::Map::sigmoid_squared_error, {logits, target});
}
/// -log Bernoulli(target; sigmoid(logits)) with eps added to the probabilities r and 1 - r before the
/// logarithm, so that an element costs at most -log eps; 0 <= eps <= 1/2. bernoulli_nll() is the exact form.
inline Var bernoulli_nll_floored(const Var& logits, const Var& target, double eps) {
  VAE_CHECK(eps >= 0 && eps <= 0.5, "bernoulli_nll_floored: eps {} outside [0, 1/2]", eps);
  return rowsum(kernels::Map::bce_floored, {logits, target}, {eps, 0});
}
/// -log Bernoulli(target; p) of probabilities p, logarithms clamped at -100.
inline Var bernoulli_nll_of_probability(const Var& p, const Var& target) {
  return rowsum(kernels::Map::bce_probability, {p, target});
}

// ---- divergences

/// KL(Bernoulli(p) || Bernoulli(q)) per row; p and q are weakened to p (1 - weakening) + weakening / 2.
inline Var bernoulli_kl(const Var& p, const Var& q, double weakening) {
  return rowsum(kernels::Map::bernoulli_kl, {p, q}, {weakening, 0});
}
/// KL(N(mu_q, e^log_var_q) || N(mu_p, e^log_var_p)) per row: the part of the means plus that of the
/// variances, neither of which is negative.
Var gaussian_kl(const Var& mu_q, const Var& log_var_q, const Var& mu_p, const Var& log_var_p);
/// All pairs, [A, B]: entry (i, j) is KL of row i of q from row j of p. By matrix products: an entry is exact
/// to a rounding of the sum of (mu^2 + var_q) / var_p over the columns, mu measured from the mean of mu_p.
Var gaussian_kl_matrix(const Var& mu_q, const Var& log_var_q, const Var& mu_p, const Var& log_var_p);
/// Mean over rows of -sum target log softmax(logits), for targets that are distributions.
Var cross_entropy(const Var& logits, const Var& target);

// ---- draws

/// 1 where uniform < p, else 0; no gradient.
inline Var bernoulli(const Var& p, const Tensor& uniform) {
  return map(kernels::Map::bernoulli, {p, Var(uniform)});
}
/// Bits of probability sigmoid(logits), with the ZGR surrogate gradient |bit - sigmoid(logits)| / 2.
inline Var zgr_bit(const Var& logits, const Tensor& uniform) {
  return map(kernels::Map::zgr_bit, {logits, Var(uniform)});
}
/// softmax((logits + g) / tau) over the columns, g = -log(eps - log(uniform + eps)); tau is one number.
Var gumbel_softmax(const Var& logits, const Tensor& uniform, const Var& tau, double eps);

// ---- normalising flow

struct PlanarFlow {
  Var z;        ///< [B, d]
  Var log_det;  ///< [B]
};
/// f(z) = z + u^ tanh(w z + b) and log(|det df/dz| + eps) per row, for u, w [d] and b one number, where
/// u^ = u + (softplus(u w) - 1 - u w) w / (w w) keeps f invertible (Rezende & Mohamed, arXiv:1505.05770).
PlanarFlow planar_flow(const Var& z, const Var& u, const Var& w, const Var& b, double eps);

}  // namespace vae::autograd
