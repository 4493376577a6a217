#pragma once
// The parameters of a group in one flat buffer, and their gradients in another: one optimiser launch, one
// norm, one all-reduce, one checkpoint block. Each parameter becomes a named slice aligned to 64 bytes; the
// gaps stay zero.
#include "nn/module.h"
#include "tensor/communicator.h"

namespace vae::nn {

class FlatParameters {
 public:
  /// Moves the parameters of `module` (which must outlive this object), but for frozen ones, into flat
  /// storage, keeping their values. Throws Error(usage) where there are none, where they differ in dtype or
  /// device, and where one of them lies in another FlatParameters, whose optimiser would go on with values
  /// that nobody reads.
  explicit FlatParameters(Module& module);
  ~FlatParameters();
  FlatParameters(const FlatParameters&) = delete;
  FlatParameters& operator=(const FlatParameters&) = delete;

  const Tensor& values() const { return values_; }
  /// Gradients; valid after finish_gradients().
  const Tensor& gradients() const { return gradients_; }
  /// Forgets all gradients; nothing is written until the next backward walk.
  void clear_gradients();
  /// Sets the gradients that no backward walk has written to zero, even where that is all of them.
  void finish_gradients();
  /// Hands the gradients to a step, finished. Throws Error(usage) where no backward walk has written any
  /// since clear_gradients(), unless finish_gradients() was called on purpose, or where a step has taken
  /// them.
  const Tensor& take_gradients();
  /// The parameters in the order of the buffers, and where the slice of each, its gap included, ends.
  struct Part {
    Var parameter;
    int64_t end;
  };
  std::vector<Part> parts() const;
  /// Those elements that an optimiser steps here: all, until step_only() names others, since the ranks of a
  /// run may share that work.
  const std::vector<parallel::Piece>& stepped() const { return stepped_; }
  void step_only(std::vector<parallel::Piece> pieces) { stepped_ = std::move(pieces); }
  /// Takes the parameters into differentiation or out of it.
  void need_gradients(bool needed);

 private:
  enum class Gradients : uint8_t { open, finished, taken };
  Tensor values_, gradients_;
  std::vector<Var> parameters_;
  std::vector<int64_t> offsets_;  // of the parameters, and the end
  std::vector<parallel::Piece> stepped_;
  Gradients state_ = Gradients::open;
};

}  // namespace vae::nn
