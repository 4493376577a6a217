#pragma once
// Learning-rate schedules by name; what they compute stands in kernels/schedule.h.
#include <string_view>

#include "kernels/schedule.h"

namespace vae::nn {

using kernels::Decay, kernels::Schedule;

/// "constant", "linear" or "cosine"; throws Error(usage) for anything else.
Decay parse_decay(std::string_view name);

}  // namespace vae::nn
