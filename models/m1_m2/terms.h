#pragma once
// The densities of the bounds, nats per row.
#include "models/m1_m2/m1.h"

namespace vae::models {

/// Limits of a log variance inside a likelihood; the default limits nothing.
struct LogVarRange {
  double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
};

/// log p(x|.) under a decoder's output.
inline Var log_likelihood(const Var& x, const Decoded& decoded, LogVarRange range) {
  if (const Var* logits = std::get_if<Var>(&decoded)) return -autograd::bernoulli_nll(*logits, x);
  const auto& gaussian = std::get<Gaussian>(decoded);
  return -autograd::gaussian_nll(x, gaussian.mean, gaussian.log_var, range.low, range.high);
}

/// log p(z) of a standard normal prior.
inline Var log_prior(ZTerm term, const Gaussian& q, const Var& z) {
  return term == ZTerm::marginal ? autograd::log_standard_normal_marginal(q.mean, q.log_var)
                                 : autograd::log_standard_normal(z);
}

/// log q(z|.); a sampled term limits the log variance, the sample itself does not (a biased bound, kept as
/// published).
inline Var log_posterior(ZTerm term, const Gaussian& q, const Var& z, LogVarRange range) {
  return term == ZTerm::marginal ? autograd::negative_entropy(q.log_var)
                                 : -autograd::gaussian_nll(z, q.mean, q.log_var, range.low, range.high);
}

/// log p(x|.) - KL or log p(x|.) + log p(z) - log q(z).
inline Var bound(const Terms& t) { return t.kl.defined() ? t.log_px - t.kl : t.log_px + t.log_pz - t.log_qz; }

}  // namespace vae::models
