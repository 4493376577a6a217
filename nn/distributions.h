#pragma once
// Distributions as nets give them and bounds take them, and the heads that give them.
#include <limits>
#include <variant>

#include "nn/layers.h"

namespace vae::nn {

/// A diagonal Gaussian per row.
struct Gaussian {
  Var mean, log_var;
};

/// Independent bits per row.
struct Bernoulli {
  Var logits;
};

/// A sample of a Gaussian from noise.
inline Var sample(const Gaussian& q, const Var& noise) {
  return autograd::reparameterize(q.mean, q.log_var, noise);
}
/// Limits of a log variance inside a likelihood; the default limits nothing.
struct LogVarRange {
  double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
};
/// log N(x; q) per row, nats.
inline Var log_density(const Var& x, const Gaussian& q) {
  constexpr LogVarRange all;
  return autograd::gaussian_nll(x, q.mean, q.log_var, all.low, all.high, -1);
}
/// The same Gaussians, whose rows may repeat under larger operands (autograd::repeating).
inline Gaussian repeating(const Gaussian& g) { return {repeating(g.mean), repeating(g.log_var)}; }
/// The same numbers, without gradient.
inline Gaussian constant(const Gaussian& g) { return {Var(g.mean.value()), Var(g.log_var.value())}; }

/// What a decoder says about x.
enum class LikelihoodKind { bernoulli, gaussian };
using Likelihood = std::variant<Bernoulli, Gaussian>;

/// log p(x) per row, nats; repeating(x) may have fewer rows.
Var log_likelihood(const Var& x, const Likelihood& p, LogVarRange range = {});
/// Probabilities of bits, mean of a Gaussian.
Tensor expectation(const Likelihood& p);

/// Mean and log variance, the latter through a softplus where said (so variances from one).
class GaussianHead : public Module {
 public:
  struct Names {
    const char *mean, *log_var;
  };
  GaussianHead(Module* parent, const std::string& name, const Names& names, int64_t in, int64_t out,
               bool softplus = false)
      : Module(parent, name),
        mean_(this, names.mean, in, out),
        log_var_(this, names.log_var, in, out),
        softplus_(softplus) {}
  Var mean(const Var& h) const { return mean_(h); }
  Var log_var(const Var& h) const { return softplus_ ? autograd::softplus(log_var_(h)) : log_var_(h); }
  Gaussian operator()(const Var& h) const;

 private:
  Linear mean_, log_var_;
  bool softplus_;
};

}  // namespace vae::nn
