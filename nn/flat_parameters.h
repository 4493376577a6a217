#pragma once
// The parameters of a group in one flat buffer, and their gradients in another: one optimiser launch, one
// norm, one all-reduce, one checkpoint block. Each parameter becomes a named slice aligned to 64 bytes; the
// gaps stay zero.
#include "nn/module.h"

namespace vae::nn {

class FlatParameters {
 public:
  /// Moves the parameters of `module` (which must outlive this object) into flat storage, keeping their
  /// values.
  explicit FlatParameters(Module& module);

  const Tensor& values() const { return values_; }
  /// Gradients; valid after finish_gradients().
  const Tensor& gradients() const { return gradients_; }
  /// Forgets all gradients; nothing is written until the next backward walk.
  void clear_gradients();
  /// Sets the gradients that no backward walk has written to zero.
  void finish_gradients();
  /// Takes the parameters into differentiation or out of it.
  void need_gradients(bool needed);

 private:
  Tensor values_, gradients_;
  std::vector<Var> parameters_;
};

}  // namespace vae::nn
