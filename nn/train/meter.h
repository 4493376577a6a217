#pragma once
// Means of training metrics without reading them back in every step.
#include "nn/state.h"
#include "nn/train/metrics.h"

namespace vae::train {

/// Running means, in f64 on the device, of what the ranks of a run give together: their parts of a number.
class Meter {
 public:
  Meter(std::vector<std::string> names, Device device);
  /// Notes the value of one step; throws for a name that the meter does not have, or that it has been
  /// given already.
  void add(const std::string& name, const Tensor& number);
  /// Ends a step: adds its values, which are still those that were given, and one to another counter, where
  /// there is one.
  void count(const Tensor& other = {});
  const std::vector<std::string>& names() const { return names_; }
  /// Means since the last drain; resets.
  Scalars drain();
  /// Adds sums and count to a checkpoint under "prefix.".
  void add_state(nn::StateDict& state, const std::string& prefix = "losses") const;

 private:
  std::vector<std::string> names_;
  Tensor sums_, count_;
  std::vector<Tensor> numbers_;  // of this step, by name
  Tensor parts_;                 // of this step, where there are other ranks
};

}  // namespace vae::train
