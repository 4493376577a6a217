// How many threads there are: quotas of control groups, and threads that the system does not give.
#include "tensor/parallel.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tensor/cpu_quota.h"
#include "tensor/file.h"
#include "tests/expect_error.h"
#include "tests/temporary_directory.h"

namespace vae {
namespace {

class CpuQuota : public ::testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((root_ / name).parent_path());
    write_file_atomically(root_ / name, text);
  }
  std::optional<double> quota(const std::string& membership) const {
    write("membership", membership);
    return cpu_quota(root_ / "membership", root_ / "mount");
  }
  test::TemporaryDirectory root_;
};

TEST_F(CpuQuota, OfTheUnifiedHierarchyIsTheSmallestOnTheWayUp) {
  write("mount/a/b/cpu.max", "150000 100000\n");
  EXPECT_EQ(quota("0::/a/b\n"), 1.5);
  write("mount/a/cpu.max", "50000 100000\n");
  EXPECT_EQ(quota("0::/a/b\n"), 0.5);
  write("mount/a/cpu.max", "max 100000\n");
  EXPECT_EQ(quota("0::/a/b\n"), 1.5);
  EXPECT_EQ(quota("0::/a\n"), std::nullopt);
}

TEST_F(CpuQuota, IsThatOfTheRootWhereAContainerShowsNoMore) {
  write("mount/cpu.max", "200000 100000\n");
  EXPECT_EQ(quota("0::/docker/1234\n"), 2);
  EXPECT_EQ(quota("0::/\n"), 2);
}

TEST_F(CpuQuota, OfTheOldHierarchyIsInTwoFiles) {
  write("mount/cpu,cpuacct/job/cpu.cfs_quota_us", "300000\n");
  write("mount/cpu,cpuacct/job/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota("5:memory:/x\n4:cpu,cpuacct:/job\n"), 3);
  write("mount/cpu,cpuacct/job/cpu.cfs_quota_us", "-1\n");
  EXPECT_EQ(quota("4:cpu,cpuacct:/job\n"), std::nullopt);
}

TEST_F(CpuQuota, IsNoneWhereNothingSaysSo) {
  EXPECT_EQ(quota(""), std::nullopt);
  EXPECT_EQ(quota("no groups\n0::/gone\n"), std::nullopt);
  write("mount/cpu.max", "0 0\n");
  EXPECT_EQ(quota("0::/\n"), std::nullopt);
  EXPECT_EQ(cpu_quota(root_ / "absent", root_ / "mount"), std::nullopt);
}

/// Ends with 7 if a thousand threads are refused as they should be.
void ask_for_threads_without_memory() {
  const rlimit limit{1 << 30, 1 << 30};  // address space for a few stacks: this binds root, too
  ::setrlimit(RLIMIT_AS, &limit);
  try {
    set_num_threads(1000);
  } catch (const Error& e) {
    const bool told = std::string(e.what()).find("of 1000 threads") != std::string::npos;
    ::_exit(told && e.kind() == ErrorKind::device ? 7 : 1);
  }
  ::_exit(2);
}

TEST(Threads, ThatTheSystemDoesNotGiveAreAnError) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer needs the address space that this test takes away";
#endif
  EXPECT_EXIT(ask_for_threads_without_memory(), testing::ExitedWithCode(7), "");
}

TEST(Threads, AreAsManyAsWasSaid) {
  const int before = num_threads();
  {
    const ThreadsScope three(3);
    EXPECT_EQ(num_threads(), 3);
  }
  EXPECT_EQ(num_threads(), before);
}

}  // namespace
}  // namespace vae
