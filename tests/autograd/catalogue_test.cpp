// Every case of the catalogue on every device at hand: gradients, single precision, repetition, threads.
#include "tests/autograd/cases/catalogue.h"

#include <gtest/gtest.h>

#include "autograd/gradcheck.h"
#include "tests/numeric.h"
#include "tests/report.h"

namespace vae::autograd {
namespace {

using test::distance;
using test::doubles;

const std::vector<Case>& all_cases() {
  static const std::vector<Case> cases = catalogue();
  return cases;
}

/// The value of a case, then the gradients of sum(w * value) by all its inputs (an undefined tensor for those
/// without).
std::vector<Tensor> run(const Case& sample, DType dtype, Device device) {
  const std::vector<Var> inputs = make_inputs(sample, dtype, device);
  Tape tape;
  const Var y = sample.f(inputs);
  const Tensor w = test::sample_tensor(y.shape(), dtype, device, -1, 1, 99);
  tape.backward(sum(y * Var(w)));
  std::vector<Tensor> results{y.value()};
  for (const Var& input : inputs) results.push_back(input.has_grad() ? input.grad() : Tensor{});
  return results;
}

TEST(Catalogue, EveryCaseIsNamedOnceAndRecordsItsOp) {
  std::set<std::string> names;
  for (const Case& sample : all_cases()) {
    EXPECT_TRUE(names.insert(sample.name).second) << sample.name;
    EXPECT_EQ(sample.name.rfind(sample.op + "/", 0), 0u) << sample.name;
    const OpObserver observer;
    run(sample, DType::f64, kCpu);
    EXPECT_TRUE(observer.names().contains(sample.op)) << sample.name << " does not record " << sample.op;
  }
}

/// Few elements of large cases, and longer steps: the loss, a sum of 3e4 terms, is rounded by 1e-12.
GradcheckOptions options_for(const std::vector<Var>& inputs) {
  for (const Var& input : inputs)
    if (input.value().numel() > 2000) return {.step = 1e-4, .tolerance = 1e-6, .max_elements = 4};
  return {.max_elements = inputs[0].value().device().is_cpu() ? 60 : 6};
}

TEST(Catalogue, GradientsAgreeWithDifferences) {
  std::string table;
  for (const Device device : test::devices()) {
    std::set<std::string> ops;
    double worst = 0;
    for (const Case& sample : all_cases()) {
      ops.insert(sample.op);
      if (sample.surrogate) continue;
      const std::vector<Var> inputs = make_inputs(sample, DType::f64, device);
      const GradcheckResult result = gradcheck([&] { return sample.f(inputs); }, inputs, options_for(inputs));
      EXPECT_TRUE(result.ok) << sample.name << " on " << device.str() << ": " << result.where;
      worst = std::max(worst, result.worst);
    }
    table += fmt::format(
        "gradients on {:8}{:3} ops      {:4} cases  f64 against differences, worst error {:.1e}\n",
        device.str(), ops.size(), all_cases().size(), worst);
  }
  test::report("gradients", table);
}

TEST(Catalogue, SinglePrecisionAgreesWithDouble) {
  for (const Device device : test::devices())
    for (const Case& sample : all_cases()) {
      const std::vector<Tensor> exact = run(sample, DType::f64, kCpu);
      for (const DType dtype : {DType::f32, DType::f64}) {
        const double tolerance = dtype == DType::f32 ? sample.tolerance_f32 : 1e-12;
        const std::vector<Tensor> results = run(sample, dtype, device);
        for (size_t i = 0; i < exact.size(); ++i) {
          EXPECT_EQ(results[i].shape(), exact[i].shape()) << sample.name;
          const double error = distance(doubles(results[i]), doubles(exact[i]));
          EXPECT_TRUE(error <= tolerance) << sample.name << " in " << name_of(dtype) << " on " << device.str()
                                          << ", " << (i ? "gradient " : "value ") << i << ": " << error;
        }
      }
    }
}

void expect_same_bits(const std::vector<Tensor>& a, const std::vector<Tensor>& b, const std::string& what) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i)
    EXPECT_TRUE(a[i].defined() == b[i].defined() && (!a[i].defined() || test::same_bits(a[i], b[i])))
        << what << ", result " << i;
}

TEST(Catalogue, RepeatsBitForBit) {
  for (const Device device : test::devices())
    for (const Case& sample : all_cases())
      expect_same_bits(run(sample, DType::f32, device), run(sample, DType::f32, device), sample.name);
}

TEST(Catalogue, DoesNotDependOnTheNumberOfThreads) {
  for (const DType dtype : {DType::f32, DType::f64})
    for (const Case& sample : all_cases()) {
      // oneDNN divides the sums of a weight's gradient among the threads.
      if (dtype == DType::f32 && sample.op.starts_with("conv")) continue;
      std::vector<std::vector<Tensor>> results;
      for (const int threads : {1, 2, 3}) {
        const test::Threads scope(threads);
        results.push_back(run(sample, dtype, kCpu));
      }
      for (int other : {1, 2})
        expect_same_bits(results[0], results[other],
                         fmt::format("{} in {} with {} threads", sample.name, name_of(dtype), other + 1));
    }
}

}  // namespace
}  // namespace vae::autograd
