#pragma once
// Gradients against central differences in f64: of a function, of a loss, of a whole net.
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "autograd/variable.h"

namespace vae::autograd {

struct GradcheckOptions {
  double step = 1e-5;  ///< difference step, times max(1, |x|); a tenth and a hundredth of it where it fails
  double tolerance =
      2e-7;  ///< of max(1, |gradient|): truncation step^2 plus rounding 1e-16 / step, with reserve
  int64_t max_elements = 400;  ///< elements tried per input, evenly spread; the rest is left out
};

struct GradcheckResult {
  bool ok = false;                    ///< no problems
  int64_t checked = 0;                ///< elements compared
  double worst = 0;                   ///< largest error over max(1, |gradient|)
  std::string where;                  ///< input and element of the worst error
  std::vector<std::string> problems;  ///< a line each; what begins with "WRONG" is a gradient
  std::vector<std::string> kinks;     ///< elements left out, since the function has no derivative there
  /// All of that, a line each.
  std::string str() const;
};

/// Inputs and what they are called, such as the parameters of a module.
using NamedInputs = std::vector<std::pair<std::string, Var>>;

/// Checks d(sum of w * f)/d(inputs) for fixed random weights w, for all inputs that need gradients.
///
/// f must be a pure function of the inputs' values, which are perturbed in place and restored; a function
/// that gives another value in the second call is a problem. So is NaN, a function that does not add to a
/// gradient which is there already (Write::add; it is named), and a check of no elements. Where a difference
/// disagrees, smaller steps are tried; where the differences to the left and to the right disagree at the
/// smallest one, and the gradient lies between them, the element is a kink (a ReLU at 0), which is told but
/// is no problem. Throws Error(usage) for inputs that are undefined or not f64.
GradcheckResult gradcheck(const std::function<Var()>& f, const NamedInputs& inputs,
                          GradcheckOptions options = {});
/// The same with inputs called "input 0", "input 1".
GradcheckResult gradcheck(const std::function<Var()>& f, const std::vector<Var>& inputs,
                          GradcheckOptions options = {});

}  // namespace vae::autograd
