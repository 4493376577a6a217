#pragma once
// Differentiable terms of objectives: reconstruction, divergences, classification, relaxed draws and flows.
// "Per row": summed over the columns of operands [rows, columns], nats; flatten() makes rows of images. Noise
// is an operand, drawn by the caller.
#include <limits>

#include "autograd/elementwise.h"

namespace vae::autograd {

// ---- reconstruction, per row; a target of fewer rows repeats as repeating(target). `scale`, a factor, costs
// nothing: -1 makes log-likelihoods of them.

/// -log Bernoulli(target; sigmoid(logits))
inline Var bernoulli_nll(const Var& logits, const Var& target, double scale = 1) {
  return detail::rowsum("bernoulli_nll(logits, target)", kernels::Map::bce_logits, {logits, target},
                        {0, 0, scale});
}
/// -log Bernoulli(target; sigmoid(logits)) with eps added to the probabilities r and 1 - r before the
/// logarithm, so that an element costs at most -log eps; 0 <= eps <= 1/2. bernoulli_nll() is the exact form.
Var bernoulli_nll_floored(const Var& logits, const Var& target, double eps, double scale = 1);
/// -log Bernoulli(target; p) of probabilities p, logarithms clamped at -100.
inline Var bernoulli_nll_of_probability(const Var& p, const Var& target) {
  return detail::rowsum("bernoulli_nll_of_probability(p, target)", kernels::Map::bce_probability,
                        {p, target});
}
/// -log N(x; mu, e^log_var) with log_var limited to [low, high].
inline Var gaussian_nll(const Var& x, const Var& mu, const Var& log_var,
                        double low = -std::numeric_limits<double>::infinity(),
                        double high = std::numeric_limits<double>::infinity(), double scale = 1) {
  return detail::rowsum("gaussian_nll(x, mu, log_var)", kernels::Map::gaussian_nll, {x, mu, log_var},
                        {low, high, scale});
}
/// sum (a - b)^2
inline Var squared_error(const Var& a, const Var& b) {
  return detail::rowsum("squared_error(a, b)", kernels::Map::squared_error, {a, b});
}
/// sum (sigmoid(logits) - target)^2
inline Var sigmoid_squared_error(const Var& logits, const Var& target) {
  return detail::rowsum("sigmoid_squared_error(logits, target)", kernels::Map::sigmoid_squared_error,
                        {logits, target});
}

// ---- densities and divergences, per row

/// KL(N(mu, e^log_var) || N(0, I))
inline Var kl_standard_normal(const Var& mu, const Var& log_var) {
  return detail::rowsum("kl_standard_normal(mu, log_var)", kernels::Map::kl_standard_normal, {mu, log_var});
}
/// log N(z; 0, I)
inline Var log_standard_normal(const Var& z) {
  return detail::rowsum("log_standard_normal(z)", kernels::Map::log_standard_normal, {z});
}
/// log N(z; mu, e^log_var) of z = mu + e^(log_var / 2) eps
inline Var log_normal_draw(const Var& eps, const Var& log_var) {
  return detail::rowsum("log_normal_draw(eps, log_var)", kernels::Map::log_normal_draw, {eps, log_var});
}
/// E log N(z; 0, I) over z ~ N(mu, e^log_var)
inline Var log_standard_normal_marginal(const Var& mu, const Var& log_var) {
  return detail::rowsum("log_standard_normal_marginal(mu, log_var)",
                        kernels::Map::log_standard_normal_marginal, {mu, log_var});
}
/// E log q(z) over z ~ q = N(mu, e^log_var): minus its entropy
inline Var negative_entropy(const Var& log_var) {
  return detail::rowsum("negative_entropy(log_var)", kernels::Map::affine, {log_var},
                        {-0.5, -0.5 * (kernels::kLog2Pi + 1)});
}
/// KL(Bernoulli(p) || Bernoulli(q)); p and q are weakened to p (1 - weakening) + weakening / 2.
inline Var bernoulli_kl(const Var& p, const Var& q, double weakening) {
  return detail::rowsum("bernoulli_kl(p, q)", kernels::Map::bernoulli_kl, {p, q}, {weakening, 0});
}
/// KL(N(mu_q, e^log_var_q) || N(mu_p, e^log_var_p)): the part of the means plus that of the variances,
/// neither of which is negative.
Var gaussian_kl(const Var& mu_q, const Var& log_var_q, const Var& mu_p, const Var& log_var_p);
/// All pairs, [A, B]: entry (i, j) is KL of row i of q from row j of p. By matrix products: an entry is exact
/// to a rounding of the sum of (mu^2 + var_q) / var_p over the columns, mu measured from the mean of mu_p.
Var gaussian_kl_matrix(const Var& mu_q, const Var& log_var_q, const Var& mu_p, const Var& log_var_p);

// ---- classification

/// Mean over rows of -log softmax(logits)[label], for i64 labels.
Var cross_entropy(const Var& logits, const Tensor& labels);
/// Mean over rows of -sum target log softmax(logits), for targets that are distributions.
Var cross_entropy(const Var& logits, const Var& target);
/// scale sum_n q_n (bound_n - log(q_n + eps)), per row: a bound averaged over labels, plus their entropy.
inline Var weighted_bound(const Var& q, const Var& bound, double eps, double scale = 1) {
  return detail::rowsum("weighted_bound(q, bound)", kernels::Map::weighted_bound, {q, bound},
                        {eps, 0, scale});
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
