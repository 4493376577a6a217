#pragma once
// Learning-rate schedules: a factor as a pure function of the iteration, on the host or on the device.
#include <cmath>

#include "kernels/kernel.h"
#include "tensor/host_device.h"

namespace vae::kernels {

enum class Decay : int { constant, linear, cosine };

/// Rises linearly over `warmup` iterations, then stays, or falls to zero at iteration `total` linearly or
/// along half a cosine (Loshchilov and Hutter, arXiv:1608.03983).
struct Schedule {
  Decay decay = Decay::constant;
  int64_t total = 0;  ///< iterations of the whole run; not used by constant
  int64_t warmup = 0;

  /// Factor of the base rate in iteration 0, 1, ...
  VAE_HD double factor(int64_t iteration) const {
    if (iteration < warmup) return static_cast<double>(iteration + 1) / static_cast<double>(warmup);
    if (decay == Decay::constant) return 1;
    const int64_t falling = total > warmup ? total - warmup : 1, fallen = iteration - warmup;
    const double progress = fallen < falling ? static_cast<double>(fallen) / static_cast<double>(falling) : 1;
    return decay == Decay::linear ? 1 - progress : 0.5 * (1 + cos(3.14159265358979323846 * progress));
  }
  bool is_constant() const { return decay == Decay::constant && warmup == 0; }
};

/// An i64 scalar and an f64 scalar.
void check_scheduled_rate(In iteration, Out rate);

}  // namespace vae::kernels
