#pragma once
// The gradients of a whole module.
#include <functional>

#include "autograd/gradcheck.h"
#include "nn/module.h"
#include "nn/train/step.h"

namespace vae::train {

/// Compares the gradients of a loss by all parameters of a module with central differences, at up to
/// `options.max_elements` elements of each, and prints a line for each parameter that is wrong. The loss must
/// be a function of the parameters and of the step alone. The module is f64 and small; weights that are all
/// zero are initialised (nn::init_where_zero). Throws Error(usage) for another dtype.
bool check_gradients(nn::Module& module, const std::function<Var(const Step&)>& loss,
                     autograd::GradcheckOptions options = {.max_elements = 16});

}  // namespace vae::train
