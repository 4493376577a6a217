#pragma once
// Means of training losses without reading them back in every step.
#include <initializer_list>

#include "nn/train/metrics.h"
#include "nn/train/state.h"

namespace vae::models {

/// Running means of losses, in f64 on the device.
class LossMeter {
 public:
  LossMeter(std::vector<std::string> names, Device device);
  /// Adds one value per name.
  void add(std::initializer_list<Tensor> losses);
  const std::vector<std::string>& names() const { return names_; }
  /// Means since the last drain; resets.
  train::Scalars drain();
  void add_state(train::StateDict& state);

 private:
  std::vector<std::string> names_;
  Tensor sums_, count_;
};

}  // namespace vae::models
