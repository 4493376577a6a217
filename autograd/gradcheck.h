#pragma once
// Gradients against central differences in f64.
#include <functional>
#include <string>

#include "autograd/variable.h"

namespace vae::autograd {

struct GradcheckOptions {
  double step = 1e-5;  ///< difference step, times max(1, |x|)
  double tolerance =
      2e-7;  ///< of max(1, |gradient|): truncation step^2 plus rounding 1e-16 / step, with reserve
  int64_t max_elements = 400;  ///< elements tried per input, evenly spread; the rest is left out
};

struct GradcheckResult {
  double worst = 0;   ///< largest error over max(1, |gradient|)
  std::string where;  ///< input and element of the worst error
  bool ok = false;
};

/// Checks d(sum of w * f)/d(inputs) for fixed random weights w, for all inputs that need gradients. f must be
/// a pure function of the inputs' values, which are perturbed in place and restored. NaN fails.
GradcheckResult gradcheck(const std::function<Var()>& f, const std::vector<Var>& inputs,
                          GradcheckOptions options = {});

}  // namespace vae::autograd
