#include "autograd/loss.h"

#include "autograd/function.h"
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

Var bernoulli_nll_floored(const Var& logits, const Var& target, double eps, double scale) {
  if (!(eps >= 0 && eps <= 0.5)) misuse("bernoulli_nll_floored", "eps {} is outside [0, 1/2]", eps);
  return detail::rowsum("bernoulli_nll_floored(logits, target)", Map::bce_floored, {logits, target},
                        {eps, 0, scale});
}

Var gaussian_kl(const Var& mu_q, const Var& log_var_q, const Var& mu_p, const Var& log_var_p) {
  return detail::rowsum("gaussian_kl(mu_q, mu_p, log_var_p)", Map::kl_means, {mu_q, mu_p, log_var_p}) +
         detail::rowsum("gaussian_kl(log_var_q, log_var_p)", Map::kl_variances, {log_var_q, log_var_p});
}

// 2 KL(i, j) = sum (var_i + m_i^2) / var_j - 2 m_i m_j / var_j + (m_j^2 / var_j + log var_j - 1) - log var_i
Var gaussian_kl_matrix(const Var& mu_q, const Var& log_var_q, const Var& mu_p, const Var& log_var_p) {
  constexpr const char* signature = "gaussian_kl_matrix(mu_q, log_var_q, mu_p, log_var_p)";
  detail::check_operands(signature, {&mu_q, &log_var_q, &mu_p, &log_var_p});
  const int64_t rows = kernels::rows_of(mu_p.shape()), columns = kernels::columns_of(mu_p.shape());
  if (rows == 0) misuse("gaussian_kl_matrix", "mu_p is {}: no rows", detail::text_of(mu_p));
  const Var centre = mean(mu_p, Axis::rows(rows, columns)), m_q = mu_q - centre, m_p = mu_p - centre;
  const Var precision = exp(-log_var_p), scaled = m_p * precision;
  const Var of_p = rowsum(Map::mul, {m_p, scaled}) + rowsum(Map::affine, {log_var_p}, {1, -1});
  const Var of_q = rowsum(Map::affine, {log_var_q}, {-0.5, 0});
  const Var squares = linear(exp(log_var_q) + square(m_q), 0.5 * precision, 0.5 * of_p);
  return squares - matmul(m_q, Transpose::no, scaled, Transpose::yes) + column(of_q);
}

Var cross_entropy(const Var& logits, const Tensor& labels) {
  detail::check_operands("cross_entropy(logits)", {&logits});
  detail::check_integers("cross_entropy", "labels", labels, kernels::rows_of(logits.shape()));
  const Var picked = pick(log_softmax(logits), labels);
  return scaled_sum(picked, -1.0 / static_cast<double>(labels.numel()));
}

Var cross_entropy(const Var& logits, const Var& target) {
  detail::check_operands("cross_entropy(logits, target)", {&logits, &target});
  if (logits.shape() != target.shape())
    misuse("cross_entropy", "target is {}, logits is {}: expected the same shape", detail::text_of(target),
           detail::text_of(logits));
  const Var picked = rowsum(Map::mul, {log_softmax(logits), target});
  return scaled_sum(picked, -1.0 / static_cast<double>(picked.value().numel()));
}

Var gumbel_softmax(const Var& logits, const Tensor& uniform, const Var& tau, double eps) {
  return softmax(detail::map("gumbel_softmax(logits, uniform, tau)", Map::gumbel_logits,
                             {logits, Var(uniform), tau}, {eps, 0}));
}

PlanarFlow planar_flow(const Var& z, const Var& u, const Var& w, const Var& b, double eps) {
  detail::check_operands("planar_flow(z, u, w, b)", {&z, &u, &w, &b});
  const int64_t d = w.value().numel();
  if (z.value().rank() != 2 || z.shape()[1] != d || u.value().numel() != d || b.value().numel() != 1)
    misuse("planar_flow", "z is {}, u {}, w {}, b {}: expected [B, d], [d], [d] and one number",
           detail::text_of(z), detail::text_of(u), detail::text_of(w), detail::text_of(b));
  const Var overlap = rowsum(Map::mul, {u, w}), safe = softplus(overlap) + -1;  // u w and u^ w
  const Var u_hat = u + (safe - overlap) / rowsum(Map::square, {w}) * w;
  const Var h = tanh(linear(z, reshape(w, {1, d}), reshape(b, {1})));
  const Var log_det = map(Map::planar_log_det, {h, safe}, {eps, 0});
  return {z + linear(h, reshape(u_hat, {d, 1}), {}), reshape(log_det, {h.value().numel()})};
}

}  // namespace vae::autograd
