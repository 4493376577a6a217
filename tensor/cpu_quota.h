#pragma once
// How much CPU time the control group of this process may use (Linux cgroups v1 and v2): a container may see
// 64 cores and be given two, and threads beyond that wait for one another at every barrier.
#include <filesystem>
#include <optional>

namespace vae {

/// The smallest quota of the group and those above it, in CPUs; none without a limit. `membership`: the list
/// of this process's groups; `mount`: where the hierarchies are mounted.
std::optional<double> cpu_quota(const std::filesystem::path& membership = "/proc/self/cgroup",
                                const std::filesystem::path& mount = "/sys/fs/cgroup");

}  // namespace vae
