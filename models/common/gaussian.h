#pragma once
// A diagonal Gaussian per row, as nets give it and bounds take it.
#include "autograd/variable.h"

namespace vae::models {

using autograd::Var;

struct Gaussian {
  Var mean, log_var;
};

}  // namespace vae::models
