#include "nn/schedule.h"

namespace vae::nn {

Decay parse_decay(std::string_view name) {
  if (name == "constant") return Decay::constant;
  if (name == "linear") return Decay::linear;
  if (name == "cosine") return Decay::cosine;
  fail(ErrorKind::usage, "unknown schedule '{}': expected constant, linear or cosine", name);
}

}  // namespace vae::nn
