// Every golden file of the folder, in every precision.
#include <gtest/gtest.h>

#include <fstream>
#include <iostream>

#include "folder.h"

namespace vae::golden {
namespace {

TEST(Golden, Folder) {
  const auto folder = golden_folder();
  if (!folder) GTEST_SKIP() << "no golden files: set VAE_GOLDEN_DIR to their folder";
  const Summary summary = run_folder(*folder, families(), kNotCoveredYet);
  std::cout << summary.str();
  std::ofstream(VAE_GOLDEN_REPORT) << summary.str();
  EXPECT_TRUE(summary.ok());
}

}  // namespace
}  // namespace vae::golden
