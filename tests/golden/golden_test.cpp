// Every golden file of the folder, in every precision.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

#include "folder.h"
#include "tests/report.h"

namespace vae::golden {
namespace {

constexpr uintmax_t kSmallFile = 1000000;  // bytes

TEST(Golden, Folder) {
  const auto folder = golden_folder();
  if (!folder) GTEST_SKIP() << "no golden files: set VAE_GOLDEN_DIR to their folder";
  const Summary summary = run_folder(*folder, families(), kNotCoveredYet);
  test::report("golden", summary.str());
  EXPECT_TRUE(summary.ok());
}

/// The smaller files of each family, by the CUDA kernels: on a CUDA device or its model, else on the
/// emulator.
class GoldenOnDevices : public testing::TestWithParam<size_t> {};

TEST_P(GoldenOnDevices, SmallFiles) {
  const auto folder = golden_folder();
  if (!folder) GTEST_SKIP() << "no golden files: set VAE_GOLDEN_DIR to their folder";
  const DeviceType type = device_count(DeviceType::cuda) > 0 ? DeviceType::cuda : DeviceType::simt;
  if (device_count(type) == 0) GTEST_SKIP() << "no device " << name_of(type);
  const GoldenDevice scope({type, 0});
  const Family family = families()[GetParam()];
  const Summary summary = run_folder(*folder, {family}, kNotCoveredYet, [&](const File& file) {
    return file.system == family.system && !of_large_net(file) &&
           std::filesystem::file_size(file.path) <= kSmallFile;
  });
  std::cout << summary.str();
  EXPECT_TRUE(summary.ok());
  EXPECT_GT(summary.files, 0);
}

INSTANTIATE_TEST_SUITE_P(Families, GoldenOnDevices, testing::Range(size_t{0}, families().size()),
                         [](const auto& info) { return test_name_of(info.param); });

}  // namespace
}  // namespace vae::golden
