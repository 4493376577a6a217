#include "tensor/control_group.h"

#include <algorithm>
#include <fstream>
#include <string>

namespace vae {
namespace {

namespace fs = std::filesystem;

std::optional<double> number_in(const fs::path& path) {
  std::ifstream file(path);
  double number = 0;
  if (file >> number) return number;
  return {};
}

/// The number behind a word at the beginning of a line.
std::optional<double> number_behind(const fs::path& path, const std::string& word) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(word + " ") || line.starts_with(word + ":"))
      return std::strtod(line.c_str() + word.size() + 1, nullptr);
  return {};
}

/// "QUOTA PERIOD" in a file of a group, "max PERIOD" for none (v2).
std::optional<double> cpus_v2(const fs::path& group) {
  std::ifstream file(group / "cpu.max");
  double quota = 0, period = 0;
  if (file >> quota >> period && quota > 0 && period > 0) return quota / period;
  return {};
}

/// Two files, a quota of -1 for none (v1).
std::optional<double> cpus_v1(const fs::path& group) {
  const auto quota = number_in(group / "cpu.cfs_quota_us"), period = number_in(group / "cpu.cfs_period_us");
  if (quota && period && *quota > 0 && *period > 0) return *quota / *period;
  return {};
}

/// The limit, without what is used of it but for files that could be dropped. Without a limit the file says
/// "max" (v2), or a number beyond any memory (v1).
std::optional<double> bytes_left(const fs::path& group, const char* limit, const char* usage,
                                 const char* droppable) {
  const auto most = number_in(group / limit), used = number_in(group / usage);
  if (!most || !used || *most > 1e18) return {};
  return std::max(0.0, *most - *used + number_behind(group / "memory.stat", droppable).value_or(0));
}

std::optional<double> bytes_v2(const fs::path& group) {
  return bytes_left(group, "memory.max", "memory.current", "inactive_file");
}

std::optional<double> bytes_v1(const fs::path& group) {
  return bytes_left(group, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file");
}

/// Whether a comma-separated list has the name.
bool lists(const std::string& names, const std::string& name) {
  return ("," + names + ",").find("," + name + ",") != std::string::npos;
}

using OfGroup = std::optional<double> (*)(const fs::path& group);

/// The least number of the groups of a controller that this process is in.
std::optional<double> least_of(const std::string& controller, const fs::path& membership,
                               const fs::path& mount, OfGroup v2, OfGroup v1) {
  std::optional<double> least;
  std::ifstream file(membership);
  for (std::string line; std::getline(file, line);) {  // ID:CONTROLLERS:PATH; no controllers: v2
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (!controllers.empty() && !lists(controllers, controller)) continue;
    // Inside a container the path may be that of the host, while the mount shows the group as its root.
    for (fs::path group = line.substr(second + 1);; group = group.parent_path()) {
      const fs::path inside = group.relative_path();
      for (const fs::path& root : {mount, mount / controller, mount / controllers})
        if (const auto number = (controllers.empty() ? v2 : v1)(root / inside))
          least = std::min(least.value_or(*number), *number);
      if (inside.empty()) break;
    }
  }
  return least;
}

}  // namespace

std::optional<double> cpu_quota(const fs::path& membership, const fs::path& mount) {
  return least_of("cpu", membership, mount, cpus_v2, cpus_v1);
}

std::optional<double> memory_quota(const fs::path& membership, const fs::path& mount) {
  return least_of("memory", membership, mount, bytes_v2, bytes_v1);
}

std::optional<double> free_memory(const fs::path& meminfo, const fs::path& membership,
                                  const fs::path& mount) {
  const std::optional<double> quota = memory_quota(membership, mount);
  std::optional<double> available = number_behind(meminfo, "MemAvailable");
  if (available) *available *= 1024;
  if (available && quota) return std::min(*available, *quota);
  return available ? available : quota;
}

}  // namespace vae
