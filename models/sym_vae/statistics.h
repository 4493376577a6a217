#pragma once
// What is watched while a model learns: how much the bits tell, and running averages of its losses.
#include "nn/module.h"
#include "nn/train/step.h"

namespace vae::sym_vae {

inline constexpr double kWeakening = 1e-6;  ///< of probabilities in divergences

using autograd::Var;

/// One number of the dtype and on the device of a module.
Tensor number(const nn::Module& module, double value);

/// Of each bit, drawn with probabilities [B, n], two buffers: the running mean m of its probabilities
/// (0.99 m + 0.01 mean), and that of its mutual information with what it is drawn from, mean over the batch
/// of H(m) - H(p), nats.
struct BitStatistics {
  Tensor mean, information;  ///< [n]
};

/// Statistics of the bits of q(z0|x), p(z1|z0) and q(z1|x), side by side.
class CodeStatistics : public nn::Module {
 public:
  /// Buffers "z0_q", "z1_p", "z1_q", 1/2 at first, and "z0_q_mi", ...
  CodeStatistics(Module* parent, int64_t nz0, int64_t nz1);
  /// Adds a batch, given as logits.
  void add(const Var& logits_q_z0, const Var& logits_p_z1, const Var& logits_q_z1, train::Share batch,
           const train::Step& step) const;

  BitStatistics all, q_z0, p_z1, q_z1;  ///< the bits of all, and their parts

 private:
  BitStatistics part(const std::string& name, int64_t begin, int64_t bits);
  Tensor half_;
};

/// Running averages r of numbers v: in iteration n = 0, 1, ... they become r + (v - r) / min(n + 1, 1000).
class RunningAverages : public nn::Module {
 public:
  /// One number each, in buffers of these names.
  RunningAverages(Module* parent, const std::vector<std::string>& names);
  /// Adds as many numbers, or this rank's parts of them.
  void add(const std::vector<Var>& numbers, const train::Step& step) const;
  std::vector<double> values() const;

 private:
  Tensor values_;
};

}  // namespace vae::sym_vae
