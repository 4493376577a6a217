#pragma once
// report.html and results.json of a run.
#include "nn/report/confusion.h"
#include "nn/train/loop.h"
#include "tools/common/images.h"
#include "tools/common/run_options.h"

namespace vae {

/// Curves of a run with one scale.
struct RunChart {
  std::string title, y_label;
  std::vector<std::string> columns;  ///< of metrics.csv
};

struct RunSummary {
  std::string title;
  nlohmann::ordered_json results;  ///< flat: name -> number
  std::vector<std::pair<std::string, std::string>> headline;
  std::vector<RunChart> charts;
  std::vector<std::pair<std::string, std::string>>
      pictures;  ///< PNG of the run directory, where it is there: caption
  std::optional<report::Confusion> confusion;
};

/// Writes both files from what lies in the run directory.
void write_report(const std::filesystem::path& run, const RunSummary& summary,
                  const nlohmann::ordered_json& config, const Images& images, const train::LoopResult& result,
                  const RunOptions& options);

/// "1 h 02 min", "3 min 05 s", "12.3 s"
std::string duration(double seconds);

}  // namespace vae
