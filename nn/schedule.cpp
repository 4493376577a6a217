#include "nn/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "tensor/error.h"

namespace vae::nn {

double Schedule::factor(int64_t iteration) const {
  if (iteration < warmup) return static_cast<double>(iteration + 1) / static_cast<double>(warmup);
  if (decay == Decay::constant) return 1;
  const auto falling = static_cast<double>(std::max<int64_t>(1, total - warmup));
  const double progress = std::min(1.0, static_cast<double>(iteration - warmup) / falling);
  return decay == Decay::linear ? 1 - progress : 0.5 * (1 + std::cos(std::numbers::pi * progress));
}

Decay parse_decay(std::string_view name) {
  if (name == "constant") return Decay::constant;
  if (name == "linear") return Decay::linear;
  if (name == "cosine") return Decay::cosine;
  fail(ErrorKind::usage, "unknown schedule '{}': expected constant, linear or cosine", name);
}

}  // namespace vae::nn
