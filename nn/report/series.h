#pragma once
// Named curves, and reading them back from the metrics.csv of a run.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace vae::report {

struct Series {
  std::string name;
  std::vector<double> x, y;  ///< equally long; a value that is not finite is a gap
};

struct Metrics {
  std::vector<std::string> names;                           ///< of the columns
  std::vector<std::vector<std::optional<double>>> columns;  ///< [column][row], empty cells are missing

  bool contains(const std::string& name) const;
  /// The values of column `name` over column `x`, without the rows where either is missing. Throws
  /// Error(data) naming an unknown column.
  Series series(const std::string& name, const std::string& x = "step") const;
};

/// Reads a header line of column names and rows of numbers. A last line without its newline is still being
/// written and is ignored. Throws Error(io) if the file cannot be read, and Error(data) naming file and line
/// for: an empty file, an empty or repeated name, a wrong number of cells, a cell that is no number.
Metrics read_metrics(const std::filesystem::path& csv);

}  // namespace vae::report
