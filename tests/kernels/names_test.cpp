// Every kernel of the list has a test of its name that compares it with a plain loop.
#include <gtest/gtest.h>

#include <set>

#include "kernels/kernels.h"

namespace vae::kernels {
namespace {

std::set<std::string> tests_of(const std::string& suite_name) {
  std::set<std::string> names;
  const testing::UnitTest& all = *testing::UnitTest::GetInstance();
  for (int s = 0; s < all.total_test_suite_count(); ++s) {
    const testing::TestSuite& suite = *all.GetTestSuite(s);
    if (suite.name() != suite_name) continue;
    for (int t = 0; t < suite.total_test_count(); ++t) names.insert(suite.GetTestInfo(t)->name());
  }
  return names;
}

TEST(KernelList, EveryKernelIsComparedWithAPlainLoop) {
  const std::set<std::string> tested = tests_of("Naive");
  std::set<std::string> listed(kernel_names().begin(), kernel_names().end());
  EXPECT_EQ(tested, listed);
  EXPECT_EQ(listed.size(), kernel_names().size()) << "a name is listed twice";
}

TEST(KernelList, EveryKernelRunsOnTheCpu) {
#define VAE_KERNEL(kernel, ...)             \
  EXPECT_TRUE(kernel.has(DeviceType::cpu)); \
  EXPECT_STREQ(kernel.name(), #kernel);
#include "kernels/list.h"
#undef VAE_KERNEL
}

}  // namespace
}  // namespace vae::kernels
