// Every case of the catalogue on every device at hand, through all checks of autograd/case.h.
#include "tests/autograd/cases/catalogue.h"

#include <gtest/gtest.h>

#include "tests/numeric.h"
#include "tests/report.h"

namespace vae::autograd {
namespace {

TEST(Catalogue, EveryCaseIsNamedOnce) {
  std::set<std::string> names;
  for (const Case& sample : catalogue()) {
    EXPECT_TRUE(names.insert(sample.name).second) << sample.name;
    EXPECT_EQ(sample.name.rfind(sample.op + "/", 0), 0u) << sample.name;
  }
}

TEST(Catalogue, EveryCasePassesAllChecks) {
  const std::vector<Case> cases = catalogue();
  std::string table;
  for (const Device device : test::devices()) {
    std::set<std::string> ops;
    double worst = 0;
    for (const Case& sample : cases) {
      ops.insert(sample.op);
      const CaseReport report = check_case(sample, {device});
      EXPECT_TRUE(report.ok()) << report.str();
      worst = std::max(worst, report.worst_gradient);
    }
    table += fmt::format(
        "gradients on {:8}{:3} ops      {:4} cases  f64 against differences, worst error {:.1e}\n",
        device.str(), ops.size(), cases.size(), worst);
  }
  test::report("gradients", table);
}

}  // namespace
}  // namespace vae::autograd
