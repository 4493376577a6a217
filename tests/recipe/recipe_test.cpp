// The functions of docs/kernels.md, as its recipes make them: their cases in the catalogue on every device at
// hand.
#include <gtest/gtest.h>

#include "tests/autograd/cases/catalogue.h"
#include "tests/numeric.h"

namespace vae::autograd {
namespace {

/// The cases whose names begin so.
std::vector<Case> cases_of(const std::string& begin) {
  std::vector<Case> cases = catalogue();
  std::erase_if(cases, [&](const Case& c) { return !c.name.starts_with(begin); });
  return cases;
}

/// An elementwise function, the same as the activation behind batch norm, and a kernel.
const std::string kCases[] = {"swish/", "batch_norm/swish ", "rms_norm/"};

TEST(Recipe, BringsCases) {
  for (const std::string& begin : kCases) EXPECT_GT(cases_of(begin).size(), 5u) << begin;
}

TEST(Recipe, NetsMayChooseTheActivation) {
  const Var x(test::tensor_of({-1.5, 2}, {2}, DType::f64));
  EXPECT_EQ(to_doubles(activate(kernels::parse_activation("swish"), x).value()),
            to_doubles(swish(x).value()));
}

TEST(Recipe, CasesPassAllChecks) {
  for (const std::string& begin : kCases)
    for (const Case& sample : cases_of(begin)) {
      const CaseReport report = check_case(sample);
      EXPECT_TRUE(report.ok()) << report.str();
    }
}

TEST(Recipe, SwishIsWhatItSays) {
  const std::vector<double> near{0, 1, -1}, far{90, -90, 1e4, -1e4};
  for (const Device device : test::devices())
    for (const DType dtype : {DType::f32, DType::f64}) {
      const auto values = [&](const std::vector<double>& x) {
        const auto n = static_cast<int64_t>(x.size());
        return to_doubles(swish(Var(test::tensor_of(x, {n}, dtype, device))).value());
      };
      EXPECT_LE(test::distance(values(near), {0, 1 / (1 + std::exp(-1.)), -1 / (1 + std::exp(1.))}), 1e-7);
      EXPECT_LE(test::distance(values(far), {90, 0, 1e4, 0}), 1e-9) << device.str();
    }
}

}  // namespace
}  // namespace vae::autograd
