#pragma once
// A sample case of a differentiable function: what gradient check (gradcheck.h) and comparisons between
// dtypes and devices are run on. The functions of autograd/ have theirs in tests/autograd/cases; users write
// those of their own.
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "autograd/variable.h"

namespace vae::autograd {

/// One input of a case: values spread over [low, high], the same in every dtype, at least 0.05 from any kink.
struct CaseInput {
  Shape shape;
  double low = -2, high = 2;
  std::vector<double> kinks = {};  ///< where the derivative jumps
  bool needs_grad = true;
};

/// f applied to sample inputs; a pure function of their values, in their dtype and on their device.
struct Case {
  std::string op;    ///< the name under which the function records itself
  std::string name;  ///< unique, "op/variant sizes"
  std::vector<CaseInput> inputs;
  std::function<Var(const std::vector<Var>&)> f;
  /// Largest difference between f32 and f64, values and gradients, over max(1, largest magnitude): a few
  /// roundings of 6e-8 and vector functions off by up to 4 units, grown by sums and steep functions.
  double tolerance_f32 = 1e-5;
  /// The gradient is deliberately not that of the value: it is not compared with differences.
  bool surrogate = false;
};

/// The inputs of a case, the same values on every call and every device.
std::vector<Var> make_inputs(const Case& sample, DType dtype, Device device);

/// Names among `observed` (OpObserver, tape.h) that no case covers.
std::vector<std::string> uncovered_ops(const std::set<std::string>& observed, const std::vector<Case>& cases);

}  // namespace vae::autograd
