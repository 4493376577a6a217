#pragma once
// Densities and divergences as plain formulas of doubles, nats.
#include <algorithm>
#include <cmath>

namespace vae::test {

/// log N(x; mean, e^log_var)
inline double log_normal(double x, double mean = 0, double log_var = 0) {
  return -0.5 * (std::log(2 * M_PI) + log_var + std::pow(x - mean, 2) / std::exp(log_var));
}

/// KL(N(mean, e^log_var) || N(0, 1))
inline double kl_normal(double mean, double log_var) {
  return 0.5 * (mean * mean + std::exp(log_var) - 1 - log_var);
}

/// log Bernoulli(x; sigmoid(logit))
inline double log_bernoulli(double x, double logit) {
  return x * logit - std::max(logit, 0.0) - std::log1p(std::exp(-std::abs(logit)));
}

}  // namespace vae::test
