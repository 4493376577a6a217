#pragma once
// A learning rate that falls when a loss no longer does.
#include "nn/state.h"

namespace vae::train {

/// Multiplies a learning rate by `factor` after more than `patience` epochs in a row without a loss below
/// best (1 - threshold), the rule of PyTorch's ReduceLROnPlateau (mode min, relative threshold, no cooldown,
/// no floor, changes of 1e-8 or less left out). A recipe gives rate() to its group (Group::rate), adds the
/// state to its own, and calls step() in prepare() of the first iteration behind each epoch, with the mean of
/// the losses in a Meter of its own.
class Plateau {
 public:
  struct Settings {
    double factor = 0.1;
    int64_t patience = 10;
    double threshold = 1e-4;
  };
  /// Throws Error(usage) for a rate that is not positive, a factor outside (0, 1), a negative patience or
  /// threshold.
  Plateau(double rate, Settings settings, Device device = kCpu);

  /// Ends an epoch with its mean loss; returns the rate from now on.
  double step(double epoch_loss);
  /// The rate, an f64 scalar on the device.
  const Tensor& rate() const { return rate_; }
  /// Adds rate, best loss and the count of epochs since to a checkpoint under "prefix.".
  void add_state(nn::StateDict& state, const std::string& prefix = "plateau") const;

 private:
  Settings settings_;
  Tensor rate_, best_, bad_epochs_;
};

}  // namespace vae::train
