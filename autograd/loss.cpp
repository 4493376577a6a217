#include "autograd/loss.h"

#include "autograd/linear.h"
#include "autograd/reduce.h"
#include "autograd/rows.h"

namespace vae::autograd {
namespace {

using kernels::Axis;
using kernels::Map;
using kernels::Transpose;

Var column(const Var& x) { return reshape(x, {x.value().numel(), 1}); }

}  // namespace

Var bernoulli_nll_floored(const Var& logits, const Var& target, double eps) {
  VAE_CHECK(eps >= 0 && eps <= 0.5, "bernoulli_nll_floored: eps {} outside [0, 1/2]", eps);
  return rowsum(Map::bce_floored, {logits, target}, {eps, 0});
}

Var gaussian_kl(const Var& mu_q, const Var& log_var_q, const Var& mu_p, const Var& log_var_p) {
  return rowsum(Map::kl_means, {mu_q, mu_p, log_var_p}) + rowsum(Map::kl_variances, {log_var_q, log_var_p});
}

// 2 KL(i, j) = sum (var_i + m_i^2) / var_j - 2 m_i m_j / var_j + (m_j^2 / var_j + log var_j - 1) - log var_i
Var gaussian_kl_matrix(const Var& mu_q, const Var& log_var_q, const Var& mu_p, const Var& log_var_p) {
  const int64_t rows = kernels::rows_of(mu_p.shape()), columns = kernels::columns_of(mu_p.shape());
  VAE_CHECK(rows > 0, "gaussian_kl_matrix: no rows in {}", mu_p.value().str());
  const Var centre = mean(mu_p, Axis::rows(rows, columns)), m_q = mu_q - centre, m_p = mu_p - centre;
  const Var precision = exp(-log_var_p), scaled = m_p * precision;
  const Var of_p = rowsum(Map::mul, {m_p, scaled}) + rowsum(Map::affine, {log_var_p}, {1, -1});
  const Var of_q = rowsum(Map::affine, {log_var_q}, {-0.5, 0});
  const Var squares = linear(exp(log_var_q) + square(m_q), 0.5 * precision, 0.5 * of_p);
  return squares - matmul(m_q, Transpose::no, scaled, Transpose::yes) + column(of_q);
}

Var cross_entropy(const Var& logits, const Tensor& labels) {
  return -mean(pick(log_softmax(logits), labels));
}

Var cross_entropy(const Var& logits, const Var& target) {
  return -mean(rowsum(Map::mul, {log_softmax(logits), target}));
}

Var gumbel_softmax(const Var& logits, const Tensor& uniform, const Var& tau, double eps) {
  return softmax(map(Map::gumbel_logits, {logits, Var(uniform), tau}, {eps, 0}));
}

PlanarFlow planar_flow(const Var& z, const Var& u, const Var& w, const Var& b, double eps) {
  const int64_t d = w.value().numel();
  const Var overlap = rowsum(Map::mul, {u, w}), safe = softplus(overlap) + -1;  // u w and u^ w
  const Var u_hat = u + (safe - overlap) / rowsum(Map::square, {w}) * w;
  const Var h = tanh(linear(z, reshape(w, {1, d}), reshape(b, {1})));
  const Var log_det = map(Map::planar_log_det, {h, safe}, {eps, 0});
  return {z + linear(h, reshape(u_hat, {d, 1}), {}), reshape(log_det, {h.value().numel()})};
}

}  // namespace vae::autograd
