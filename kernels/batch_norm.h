#pragma once
// Batch normalisation of m x n over the rows (the channel is the last axis), Ioffe and Szegedy,
// arXiv:1502.03167, and the activation behind it in the same pass:
//   y = f(u),  u = gamma (x - mean) rstd + beta,  rstd = 1 / sqrt(var + eps),  biased variance of the batch
// A batch may lie on several ranks: mean and variance, and what of them is in dx, are those of all its rows.
#include "kernels/activation.h"

namespace vae::parallel {
class Communicator;
}

namespace vae::kernels {

/// Constants of the rule. The textbook rule keeps m/(m-1) var in the running variance; Chainer 1 keeps
/// m/(m-1) (var + eps) (running_var_includes_eps).
struct BatchNormRule {
  double eps = 1e-5;
  double momentum = 0.1;  ///< weight of the new batch in the running statistics
  bool running_var_includes_eps = false;
  double copies = 1;  ///< each row stands for so many equal ones, which only m/(m-1) sees
};

struct BatchNormForward {
  Tensor x, gamma, beta;             ///< [m, n] or wider, of which the first n columns count; [n], [n]
  Tensor y, mean, rstd;              ///< outputs [m, n], [n], [n]
  Tensor running_mean, running_var;  ///< [n], updated in place; undefined: not updated
  BatchNormRule rule;
  Activation activation = {};
  parallel::Communicator* ranks = nullptr;  ///< that hold rows of the batch; null: x is all of it
  void check() const;
  void each_tensor(const auto& f) const {
    (f(x), f(gamma), f(beta), f(y), f(mean), f(rstd), f(running_mean), f(running_var));
  }
};

struct BatchNormBackward {
  Tensor dy, x, gamma, mean, rstd;  ///< as in the forward pass
  /// Outputs; dx, of which the first n columns are written, may be undefined. dgamma and dbeta are sums over
  /// the rows at hand.
  Tensor dx, dgamma, dbeta;
  Write write_x = Write::set, write_gamma = Write::set, write_beta = Write::set;
  Tensor beta = {}, y = {};  ///< as in the forward pass, where there is an activation
  Activation activation = {};
  parallel::Communicator* ranks = nullptr;
  void check() const;
  void each_tensor(const auto& f) const {
    (f(dy), f(x), f(gamma), f(mean), f(rstd), f(dx), f(dgamma), f(dbeta), f(beta), f(y));
  }
};

}  // namespace vae::kernels
