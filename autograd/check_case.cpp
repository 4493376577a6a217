#include <fmt/ranges.h>

#include "autograd/case.h"
#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "tensor/compare.h"
#include "tensor/graph.h"
#include "tensor/parallel.h"

namespace vae::autograd {
namespace {

/// The value of a case, then the gradients of sum(w * value) by its inputs (undefined where there is none).
using Results = std::vector<Tensor>;

/// Adds the gradients to those that the inputs have; the value.
Tensor walk(const Case& sample, const std::vector<Var>& inputs, const Tensor& weights) {
  Tape tape;
  const Var y = sample.f(inputs), loss = sum(y * Var(weights));
  if (loss.needs_grad()) tape.backward(loss);
  return y.value();
}

Results run(const Case& sample, const std::vector<Var>& inputs, const Tensor& weights) {
  for (Var input : inputs) input.clear_grad();
  Results results{walk(sample, inputs, weights)};
  for (const Var& input : inputs) results.push_back(input.has_grad() ? input.grad() : Tensor{});
  return results;
}

/// The inputs of a case, and weights of its result.
struct Setting {
  Setting(const Case& sample, DType dtype, Device device) : inputs(make_inputs(sample, dtype, device)) {
    weights = case_values({sample.f(inputs).shape(), -1, 1}, 99, dtype, device);
  }
  std::vector<Var> inputs;
  Tensor weights;
};

Results run(const Case& sample, DType dtype, Device device) {
  const Setting setting(sample, dtype, device);
  return run(sample, setting.inputs, setting.weights);
}

/// The same as a step that is recorded, then replayed.
Results replayed(const Case& sample, DType dtype, Device device) {
  const Setting setting(sample, dtype, device);
  Results kept;
  StepGraph graph(device, GraphMode::on);
  for (int i = 0; i <= StepGraph::kWarmUp; ++i) {
    for (const Tensor& tensor : kept)
      if (tensor.defined()) tensor.zero();
    graph.run([&] {
      const Results now = run(sample, setting.inputs, setting.weights);
      if (kept.empty())
        for (const Tensor& tensor : now)
          kept.push_back(tensor.defined() ? Tensor::empty(tensor.shape(), tensor.dtype(), device) : Tensor{});
      for (size_t k = 0; k < now.size(); ++k)
        if (now[k].defined()) kept[k].copy_from(now[k]);
    });
  }
  return kept;
}

double difference(const Tensor& actual, const Tensor& expected) {
  return actual.defined() ? distance(to_doubles(actual), to_doubles(expected)) : 0;
}

std::string name_of_result(size_t i) { return i ? fmt::format("gradient of input {}", i - 1) : "value"; }

class Checks {
 public:
  Checks(const Case& sample, CaseReport& report) : sample_(sample), report_(report) {}

  void records_its_name() {
    const OpObserver observer;
    run(sample_, DType::f64, kCpu);
    if (!observer.names().contains(sample_.op)) problem("does not record '{}'", sample_.op);
  }

  void gradients(Device device) {
    const std::vector<Var> inputs = make_inputs(sample_, DType::f64, device);
    int64_t elements = 0, largest = 0;
    for (const Var& input : inputs) {
      largest = std::max(largest, input.value().numel());
      if (input.needs_grad()) elements += input.value().numel();
    }
    if (sample_.surrogate || elements == 0) return;
    GradcheckOptions options{.max_elements = device.is_cpu() ? 60 : 6};
    // Few elements of large cases, and longer steps: the loss, a sum of 3e4 terms, is rounded by 1e-12.
    if (largest > 2000) options = {.step = 1e-4, .tolerance = 1e-6, .max_elements = 4};
    const GradcheckResult result = gradcheck([&] { return sample_.f(inputs); }, inputs, options);
    for (const std::string& line : result.problems) problem("{} on {}", line, device.str());
    report_.worst_gradient = std::max(report_.worst_gradient, result.worst);
  }

  /// Gradients of a second walk on top of those of the first: twice as much, in either precision.
  void adding(Device device) {
    for (const DType dtype : {DType::f32, DType::f64}) {
      const Setting setting(sample_, dtype, device);
      for (Var input : setting.inputs) input.clear_grad();
      walk(sample_, setting.inputs, setting.weights);
      std::vector<Tensor> doubled;
      for (const Var& input : setting.inputs)
        doubled.push_back(input.has_grad() ? (2.0 * Var(input.grad())).value() : Tensor{});
      walk(sample_, setting.inputs, setting.weights);
      for (size_t i = 0; i < doubled.size(); ++i)
        if (doubled[i].defined() && !(difference(setting.inputs[i].grad(), doubled[i]) <=
                                      (dtype == DType::f32 ? sample_.tolerance_f32 : 1e-12)))
          problem("{} in {} on {} is not added to the one that is there", name_of_result(i + 1),
                  name_of(dtype), device.str());
    }
  }

  void precision(const Results& exact, Device device) {
    for (const DType dtype : {DType::f32, DType::f64}) {
      const double tolerance = dtype == DType::f32 ? sample_.tolerance_f32 : 1e-12;
      const Results results = run(sample_, dtype, device);
      for (size_t i = 0; i < exact.size(); ++i) {
        if (results[i].shape() != exact[i].shape())
          problem("{} in {} on {} is {}, not {}", name_of_result(i), name_of(dtype), device.str(),
                  results[i].shape().str(), exact[i].shape().str());
        else if (const double error = difference(results[i], exact[i]); !(error <= tolerance))
          problem("{} in {} on {} is off by {:.1e} from f64 on the CPU", name_of_result(i), name_of(dtype),
                  device.str(), error);
      }
    }
  }

  void repetition(Device device) {
    const Results once = run(sample_, DType::f32, device);
    same(once, run(sample_, DType::f32, device), fmt::format("a second time on {}", device.str()));
    same(once, replayed(sample_, DType::f32, device),
         fmt::format("recorded and replayed on {}", device.str()));
    const std::vector<Var> inputs = make_inputs(sample_, DType::f32, device);
    same({once[0]}, {sample_.f(inputs).value()}, fmt::format("without a tape on {}", device.str()));
  }

  void threads() {
    for (const DType dtype : {DType::f32, DType::f64}) {
      if (dtype == DType::f32 && sample_.f32_follows_threads) continue;
      const Results one = with_threads(1, dtype);
      for (const int threads : {2, 3})
        same(one, with_threads(threads, dtype),
             fmt::format("in {} with {} threads", name_of(dtype), threads));
    }
  }

 private:
  template <class... Args>
  void problem(fmt::format_string<Args...> format, Args&&... args) {
    report_.problems.push_back(sample_.name + ": " + fmt::format(format, std::forward<Args>(args)...));
  }
  void same(const Results& a, const Results& b, const std::string& how) {
    for (size_t i = 0; i < a.size(); ++i)
      if (!same_bits(a[i], b[i])) problem("{} has other bits {}", name_of_result(i), how);
  }
  Results with_threads(int threads, DType dtype) const {
    const ThreadsScope scope(threads);
    return run(sample_, dtype, kCpu);
  }

  const Case& sample_;
  CaseReport& report_;
};

}  // namespace

std::string CaseReport::str() const { return fmt::format("{}", fmt::join(problems, "\n")); }

CaseReport check_case(const Case& sample, const std::vector<Device>& devices) {
  CaseReport report;
  Checks checks(sample, report);
  checks.records_its_name();
  const Results exact = run(sample, DType::f64, kCpu);
  for (const Device device : devices) {
    checks.gradients(device);
    checks.adding(device);
    checks.precision(exact, device);
    checks.repetition(device);
    if (device.is_cpu()) checks.threads();
  }
  return report;
}

}  // namespace vae::autograd
