#pragma once
// A sample case of a differentiable function, and all that is checked of one. The functions of autograd/ have
// theirs in tests/autograd/cases; users write those of their own.
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "autograd/variable.h"
#include "kernels/kernels.h"

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
  /// The last bits in f32 may follow the number of threads, as those of oneDNN's convolutions do.
  bool f32_follows_threads = false;
};

/// The inputs of a case, the same values on every call and every device.
std::vector<Var> make_inputs(const Case& sample, DType dtype, Device device);

/// Values spread as an input says, one of many streams; exact in f32, on every device the same.
Tensor case_values(const CaseInput& input, uint64_t stream, DType dtype, Device device);

/// What was found wrong with a case.
struct CaseReport {
  std::vector<std::string> problems;  ///< a line each, beginning with the case's name
  double worst_gradient = 0;          ///< error of the gradient check
  bool ok() const { return problems.empty(); }
  std::string str() const;
};

/// Everything that the functions here must hold, on each device: the name under which f records itself;
/// gradients against differences (gradcheck.h; a few elements of large inputs) and on top of others; f32 and
/// f64 against f64 on the CPU; the same bits twice, without a tape, replayed from a recording
/// (tensor/graph.h), and with 1, 2 and 3 threads. In a recording f must not copy from the host, so labels are
/// made before.
CaseReport check_case(const Case& sample, const std::vector<Device>& devices = kernels::devices());

/// Names among `observed` (OpObserver, tape.h) that no case covers.
std::vector<std::string> uncovered_ops(const std::set<std::string>& observed, const std::vector<Case>& cases);

}  // namespace vae::autograd
