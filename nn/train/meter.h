#pragma once
// Means of training metrics without reading them back in every step.
#include "nn/state.h"
#include "nn/train/metrics.h"

namespace vae::train {

/// Running means, in f64 on the device.
class Meter {
 public:
  Meter(std::vector<std::string> names, Device device);
  /// Adds the value of one step; throws for a name that the meter does not have.
  void add(const std::string& name, const Tensor& number);
  /// Ends a step: every name has been given once.
  void count();
  const std::vector<std::string>& names() const { return names_; }
  /// Means since the last drain; resets.
  Scalars drain();
  /// Adds sums and count to a checkpoint under "prefix.".
  void add_state(nn::StateDict& state, const std::string& prefix = "losses") const;

 private:
  std::vector<std::string> names_;
  Tensor sums_, count_;
};

}  // namespace vae::train
