#pragma once
// Golden files of the ADGM family: their configuration as ours, and a model's tensors under the names of the
// files.
#include "golden.h"
#include "models/adgm/bound.h"
#include "nn/optimizer.h"

namespace vae::golden {

/// One case: the model, its update, and the sizes of the data.
struct AdgmCase {
  adgm::Config model;
  bool formula = false;     ///< parameters by formula (true sizes)
  bool sequential = false;  ///< the decoder's layers are numbered with their activations
  nn::OptimizerSettings rule;
  double learning_rate = 0, optimizer_eps = 0, weight_decay = 0;  ///< as in `rule`
  int64_t steps = 1;
  double alpha = 0;
  std::vector<double> beta_l, beta_u;  ///< of each step; a model without labels has the first alone
  double beta_eval = 0.5;

  /// The objective of a step.
  adgm::Objective objective(size_t step) const;
  adgm::Samples samples;

  std::string kind() const;
};

/// Throws Error(data) for what is not a configuration of this family.
AdgmCase read_adgm_case(const nlohmann::json& config);

/// An entry of the reference's state: a tensor of ours, or the parts of a weight side by side.
struct StateEntry {
  std::string name;
  std::vector<Tensor> parts;  ///< empty: the count of batches, which we do not keep
  std::vector<autograd::Var> parameters;
};

/// Parameters and buffers in the order of the reference's state.
std::vector<StateEntry> state_entries(adgm::Model& model, const AdgmCase& c);

/// Parts side by side, convolution weights as the reference has them; and the way back.
Tensor join_parts(const std::vector<Tensor>& parts);
void split_parts(const Tensor& joined, const std::vector<Tensor>& parts);

/// Entry k of the state in files of true sizes.
Tensor value_by_formula(const StateEntry& entry, int64_t k);

/// Rows repeated until they are as many as expected: what is computed once per image stands once per row in
/// the files.
Tensor repeated_to(const Tensor& x, const Shape& expected);

/// Files of single functions.
Outcome run_adgm_units(const File& file, DType dtype);

}  // namespace vae::golden
