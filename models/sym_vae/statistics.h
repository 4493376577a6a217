#pragma once
// What is watched while a model learns: how much the bits tell, and running averages of its losses.
#include "nn/module.h"
#include "nn/train/step.h"

namespace vae::sym_vae {

using autograd::Var;

/// One number of the dtype and on the device of a module.
Tensor number(const nn::Module& module, double value);

/// Of bits drawn with probabilities [B, n]: the running mean m of their probabilities (0.99 m + 0.01 mean),
/// and that of the mutual information with what they are drawn from, mean over the batch of H(m) - H(p), nats
/// per bit.
class BitStatistics : public nn::Module {
 public:
  /// Buffers NAME [n], 1/2 at first, and NAME_mi [n].
  BitStatistics(Module* parent, const std::string& name, int64_t bits);
  /// Adds a batch, given as logits.
  void add(const Var& logits, train::Share batch, const train::Step& step) const;
  Tensor mean, information;

 private:
  Tensor half_;
};

/// Statistics of the bits of p(z1|z0), q(z0|x) and q(z1|x).
class CodeStatistics : public nn::Module {
 public:
  CodeStatistics(Module* parent, int64_t nz0, int64_t nz1);
  BitStatistics q_z0, p_z1, q_z1;
};

/// A running average r of a number v: in iteration n = 0, 1, ... it becomes r + (v - r) / min(n + 1, 1000).
class RunningAverage : public nn::Module {
 public:
  /// One number, the buffer NAME.
  RunningAverage(Module* parent, const std::string& name);
  /// min(n + 1, 1000) of a step.
  static Var length(const train::Step& step);
  /// Adds a number times a scale.
  void add(const Var& number, const Var& length, double scale = 1) const;
  double value() const { return value_.item(); }

 private:
  Tensor value_;
};

}  // namespace vae::sym_vae
