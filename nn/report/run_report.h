#pragma once
// What a finished run leaves to read: report.html and results.json.
#include "nn/report/summary.h"

namespace vae::report {

struct RunFacts {
  nlohmann::ordered_json config;
  std::vector<std::vector<std::string>> data;  ///< part, set, images, shape, sha256
  std::vector<Fact> environment;
  int64_t iterations;
  double seconds;  ///< of training
};

/// Writes both into the directory of the run. Curves come from its metrics.csv, pictures as they lie there; a
/// picture that does not is left out. Throws Error(io).
void write_run_report(const std::filesystem::path& run, const Summary& summary, const RunFacts& facts);

}  // namespace vae::report
