#pragma once
// What a finished run leaves to read: report.html and results.json.
#include "nn/report/summary.h"

namespace vae::report {

struct RunFacts {
  nlohmann::ordered_json config;
  std::vector<std::vector<std::string>> data;  ///< part, set, images, shape, sha256
  std::vector<Fact> environment;
  std::vector<std::string> class_names;  ///< empty: classes are their numbers
  int64_t iterations;
  double seconds;  ///< of training
};

/// results.json: the results of the summary, the number of iterations, the names of the classes where they
/// have any. Throws Error(io).
void write_results(const std::filesystem::path& run, const Summary& summary, const RunFacts& facts);

/// report.html, whose curves come from the run's metrics.csv; what cannot be read or drawn costs a line in
/// it. Throws Error(io).
void write_report(const std::filesystem::path& run, const Summary& summary,
                  const std::vector<ShownPicture>& pictures, const RunFacts& facts);

}  // namespace vae::report
