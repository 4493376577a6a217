#pragma once
// What the control group of this process may use (Linux cgroups v1 and v2): a container may see 64 cores and
// all of the machine's memory, and be given two and a little.
#include <filesystem>
#include <optional>

namespace vae {

/// The smallest quota of CPU time of the group and those above it, in CPUs; none without a limit. Threads
/// beyond that wait for one another at every barrier. `membership`: the list of this process's groups;
/// `mount`: where the hierarchies are mounted.
std::optional<double> cpu_quota(const std::filesystem::path& membership = "/proc/self/cgroup",
                                const std::filesystem::path& mount = "/sys/fs/cgroup");

/// Bytes of memory that the group and those above it leave to this process; files that the system keeps in
/// memory and could drop do not count as used. None without a limit.
std::optional<double> memory_quota(const std::filesystem::path& membership = "/proc/self/cgroup",
                                   const std::filesystem::path& mount = "/sys/fs/cgroup");

/// Bytes of memory that this process can have: the smaller of that and what the system calls available; none
/// where neither is known.
std::optional<double> free_memory(const std::filesystem::path& meminfo = "/proc/meminfo",
                                  const std::filesystem::path& membership = "/proc/self/cgroup",
                                  const std::filesystem::path& mount = "/sys/fs/cgroup");

}  // namespace vae
