#include "nn/train/plateau.h"

#include <limits>

#include "kernels/kernels.h"

namespace vae::train {

Plateau::Plateau(double rate, Settings settings, Device device)
    : settings_(settings),
      rate_(Tensor::scalar(rate, device)),
      best_(Tensor::scalar(std::numeric_limits<double>::max())),  // finite, as all of a checkpoint is
      bad_epochs_(Tensor::scalar(int64_t{0})) {
  if (!(rate > 0 && settings.factor > 0 && settings.factor < 1 && settings.patience >= 0 &&
        settings.threshold >= 0))
    fail(ErrorKind::usage, "learning rate {} cannot fall by {} after {} epochs without a gain of {}", rate,
         settings.factor, settings.patience, settings.threshold);
}

double Plateau::step(double epoch_loss) {
  constexpr double kLeastChange = 1e-8;
  double &best = *best_.data<double>(), rate = rate_.item();
  int64_t& bad_epochs = *bad_epochs_.data<int64_t>();
  if (epoch_loss < best * (1 - settings_.threshold))
    best = epoch_loss, bad_epochs = 0;
  else
    ++bad_epochs;
  if (bad_epochs <= settings_.patience) return rate;
  bad_epochs = 0;
  const double lower = rate * settings_.factor;
  if (rate - lower <= kLeastChange) return rate;
  kernels::fill(rate_, lower);
  return lower;
}

void Plateau::add_state(nn::StateDict& state, const std::string& prefix) const {
  state.add(prefix + ".rate", rate_);
  state.add(prefix + ".best", best_);
  state.add(prefix + ".bad_epochs", bad_epochs_);
}

}  // namespace vae::train
