// Quotas of control groups: CPU time, memory.
#include "tensor/control_group.h"

#include <gtest/gtest.h>

#include "tensor/file.h"
#include "tests/temporary_directory.h"

namespace vae {
namespace {

class Groups : public ::testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((root_ / name).parent_path());
    write_file_atomically(root_ / name, text);
  }
  test::TemporaryDirectory root_;
};

class CpuQuota : public Groups {
 protected:
  std::optional<double> quota(const std::string& membership) const {
    write("membership", membership);
    return cpu_quota(root_ / "membership", root_ / "mount");
  }
};

class MemoryQuota : public Groups {
 protected:
  std::optional<double> quota(const std::string& membership) const {
    write("membership", membership);
    return memory_quota(root_ / "membership", root_ / "mount");
  }
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

TEST_F(MemoryQuota, OfTheUnifiedHierarchyIsTheSmallestOnTheWayUp) {
  write("mount/a/b/memory.max", "1000\n");
  write("mount/a/b/memory.current", "300\n");
  EXPECT_EQ(quota("0::/a/b\n"), 700);
  write("mount/a/b/memory.stat", "anon 100\nactive_file 50\ninactive_file 200\n");
  EXPECT_EQ(quota("0::/a/b\n"), 900) << "what could be dropped is free";
  write("mount/a/memory.max", "5000\n");
  write("mount/a/memory.current", "4500\n");
  EXPECT_EQ(quota("0::/a/b\n"), 500);
  write("mount/a/memory.max", "max\n");
  EXPECT_EQ(quota("0::/a/b\n"), 900);
  EXPECT_EQ(quota("0::/a\n"), std::nullopt);
  write("mount/a/b/memory.current", "2000\n");
  EXPECT_EQ(quota("0::/a/b\n"), 0) << "more than the limit may be in use for a moment";
}

TEST_F(MemoryQuota, OfTheOldHierarchyIsInFilesOfItsOwn) {
  write("mount/memory/job/memory.limit_in_bytes", "1000\n");
  write("mount/memory/job/memory.usage_in_bytes", "400\n");
  write("mount/memory/job/memory.stat", "inactive_file 5\ntotal_inactive_file 100\n");
  EXPECT_EQ(quota("5:memory:/job\n4:cpu,cpuacct:/job\n"), 700);
  EXPECT_EQ(quota("4:cpu,cpuacct:/job\n"), std::nullopt);
  write("mount/memory/job/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(quota("5:memory:/job\n"), std::nullopt) << "no limit";
}

TEST_F(MemoryQuota, BesideWhatTheSystemCallsAvailable) {
  const auto free = [&] { return free_memory(root_ / "meminfo", root_ / "membership", root_ / "mount"); };
  EXPECT_EQ(free(), std::nullopt);
  write("meminfo", "MemTotal:       9 kB\nMemAvailable:       2 kB\n");
  EXPECT_EQ(free(), 2048);
  write("membership", "0::/\n");
  write("mount/memory.max", "1000\n");
  write("mount/memory.current", "0\n");
  EXPECT_EQ(free(), 1000);
  write("mount/memory.max", "5000\n");
  EXPECT_EQ(free(), 2048);
  std::filesystem::remove(root_ / "meminfo");
  EXPECT_EQ(free(), 5000);
}

}  // namespace
}  // namespace vae
