#pragma once
// What run directories hold of runs, finished or not.
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "nn/report/series.h"

namespace vae::runs {

struct StoredRun {
  std::string name;       ///< its folder, as it is shown
  nlohmann::json config;  ///< its options, and the tool that made it
  nlohmann::ordered_json
      results;  ///< numbers of results.json; of an unfinished run the last row of its metrics
  report::Metrics metrics;
  bool finished = false;
};

/// The run in a folder; of a run of several seeds those of its seeds, in their order. Throws Error(io) and
/// Error(data) naming the file that is missing or damaged.
std::vector<StoredRun> read_runs(const std::filesystem::path& folder);

}  // namespace vae::runs
