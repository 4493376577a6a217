#pragma once
// StateDict: everything a training step reads and writes, under names. The tensors are handles of the live
// storage (parameters, buffers, optimiser moments, counters, running sums), so copying into them restores the
// run.
#include <string>
#include <utility>
#include <vector>

#include "tensor/tensor.h"

namespace vae::nn {

class StateDict {
 public:
  /// Adds a tensor under a new name; Error(internal) if the name is taken or the tensor undefined.
  void add(std::string name, Tensor tensor);
  /// The tensor of that name, or null.
  const Tensor* find(const std::string& name) const;
  /// In the order of adding. Not of a temporary: `for (... : model.state().entries())` would dangle.
  const std::vector<std::pair<std::string, Tensor>>& entries() const& { return entries_; }
  void entries() const&& = delete;

 private:
  std::vector<std::pair<std::string, Tensor>> entries_;
};

}  // namespace vae::nn
