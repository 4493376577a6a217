#pragma once
// The configuration of a golden file of M1, M2 or M1+M2 as ours.
#include "golden.h"
#include "models/m1_m2/m2.h"

namespace vae::golden {

/// One case: which models, how they are updated, and the sizes of the data.
struct M1M2Case {
  bool formula = false;                ///< parameters, inputs and noise are given by a formula (true sizes)
  std::optional<m1_m2::M1Config> m1;  ///< the model, or the frozen features of the stacked model
  std::optional<m1_m2::M2Config> m2;  ///< absent: the model is M1
  nn::Adam::Settings adam;
  std::map<std::string, int64_t> adam_t;  ///< steps already made, by sub-net
  bool adam_warm = false;                 ///< moments are given
  m1_m2::M2Update update = m1_m2::M2Update::separate;
  double alpha = 1;                    ///< weight of the classification loss
  int64_t steps = 0;                   ///< of a trajectory; 0: one update
  int64_t labeled = 0, unlabeled = 0;  ///< rows; M1 uses the first

  std::string kind() const;
  /// What single precision cannot hold after an Adam step without history: biases that feed a batch norm have
  /// gradients of pure rounding noise, and the running means of those norms follow them. Names as in the
  /// files.
  struct NormInputs {
    std::set<std::string> biases, running_means;
  };
  NormInputs norm_inputs() const;
};

/// Throws Error(data) for what is not a configuration of this family.
M1M2Case read_case(const nlohmann::json& config);

/// Our name of a parameter or buffer, "encoder.batchnorm_0.running_mean", as the files write it:
/// "encoder/batchnorm_0/avg_mean".
std::string golden_name(std::string name);

}  // namespace vae::golden
