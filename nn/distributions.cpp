#include "nn/distributions.h"

namespace vae::nn {

Var log_likelihood(const Var& x, const Likelihood& p, LogVarRange range) {
  if (const auto* bits = std::get_if<Bernoulli>(&p)) return autograd::bernoulli_nll(bits->logits, x, -1);
  const auto& g = std::get<Gaussian>(p);
  return autograd::gaussian_nll(x, g.mean, g.log_var, range.low, range.high, -1);
}

Tensor expectation(const Likelihood& p) {
  if (const auto* bits = std::get_if<Bernoulli>(&p)) return autograd::sigmoid(bits->logits).value();
  return std::get<Gaussian>(p).mean.value();
}

Gaussian GaussianHead::operator()(const Var& h) const {
  const Var mean = this->mean(h);  // before the log variance: gradients at h add up in a fixed order
  return {mean, log_var(h)};
}

}  // namespace vae::nn
