#pragma once
// The numbers of a run as text: metrics.jsonl and metrics.csv hold only what the training computed, so that
// they repeat byte for byte; wall times go to timing.csv. Every row is handed to the system as soon as it is
// written.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "nn/train/append_file.h"

namespace vae::train {

struct Scalar {
  std::string name;
  double value;
};
using Scalars = std::vector<Scalar>;

class MetricsLog {
 public:
  /// Opens the three files in `directory`. With `resume_step`, rows of later steps and a half-written last
  /// line are cut off, so that going on gives the bytes of an uninterrupted run; without, the files start
  /// empty. Throws Error(data) when a file there has other columns or a line is no row, Error(io) when one
  /// cannot be written.
  MetricsLog(const std::filesystem::path& directory, std::vector<std::string> columns,
             std::optional<int64_t> resume_step);

  /// One row; every name must be a column, a column without value stays empty. Values must be finite. Numbers
  /// are printed in the fewest digits that read back exactly.
  void write(int64_t step, int64_t epoch, const Scalars& values);
  /// One row of timing.csv: seconds of the whole run up to this step, and the rate of the steps since the last
  /// row, without evaluations.
  void write_timing(int64_t step, double seconds, double images_per_s);
  /// Seconds of the last row that was kept on resuming; 0 in a new run.
  double seconds_before() const { return seconds_before_; }
  /// The last row that was kept on resuming; empty in a new run.
  const Scalars& kept() const { return kept_; }
  /// Waits until all rows are on the disk.
  void sync();

 private:
  std::vector<std::string> columns_;
  double seconds_before_ = 0;
  Scalars kept_;
  std::optional<AppendFile> json_lines_, csv_, timing_;
};

}  // namespace vae::train
