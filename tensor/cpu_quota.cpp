#include "tensor/cpu_quota.h"

#include <algorithm>
#include <fstream>
#include <string>

namespace vae {
namespace {

namespace fs = std::filesystem;

/// "QUOTA PERIOD" in a file of a group, "max PERIOD" for none (v2).
std::optional<double> quota_v2(const fs::path& group) {
  std::ifstream file(group / "cpu.max");
  double quota = 0, period = 0;
  if (file >> quota >> period && quota > 0 && period > 0) return quota / period;
  return {};
}

/// Two files, a quota of -1 for none (v1).
std::optional<double> quota_v1(const fs::path& group) {
  std::ifstream of_quota(group / "cpu.cfs_quota_us"), of_period(group / "cpu.cfs_period_us");
  double quota = 0, period = 0;
  if (of_quota >> quota && of_period >> period && quota > 0 && period > 0) return quota / period;
  return {};
}

/// Whether a comma-separated list has the name.
bool lists(const std::string& names, const std::string& name) {
  return ("," + names + ",").find("," + name + ",") != std::string::npos;
}

}  // namespace

std::optional<double> cpu_quota(const fs::path& membership, const fs::path& mount) {
  std::optional<double> least;
  std::ifstream file(membership);
  for (std::string line; std::getline(file, line);) {  // ID:CONTROLLERS:PATH; no controllers: v2
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool v2 = controllers.empty();
    if (!v2 && !lists(controllers, "cpu")) continue;
    // Inside a container the path may be that of the host, while the mount shows the group as its root.
    for (fs::path group = line.substr(second + 1);; group = group.parent_path()) {
      const fs::path inside = group.relative_path();
      for (const fs::path& root : {mount, mount / "cpu", mount / "cpu,cpuacct"})
        if (const auto quota = v2 ? quota_v2(root / inside) : quota_v1(root / inside))
          least = std::min(least.value_or(*quota), *quota);
      if (inside.empty()) break;
    }
  }
  return least;
}

}  // namespace vae
