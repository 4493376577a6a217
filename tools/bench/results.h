#pragma once
// What bench_kernels measured: on the screen, and in a file that a later run is compared with.
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "tools/bench/peaks.h"

namespace vae::bench {

/// The kernel of the rows whose rates are the machine's: "peak read", "peak write", "peak copy", "peak
/// update", "peak product".
inline constexpr const char* kPeak = "peak";

/// One case on so many threads.
struct Row {
  std::string kernel, shape;
  int threads = 0;
  Work work = {};
  double error = 0;                 ///< of f32 against f64, relative, of the norms; peaks are not checked
  std::vector<double> rounds = {};  ///< seconds of a call, the median of each round
  std::string engine = {};          ///< of a convolution: how it was computed (kernels/conv.h)

  std::string name() const { return kernel + " " + shape; }
  bool is_peak() const { return kernel == kPeak; }
  /// Median of the rounds.
  double seconds() const;
  double fastest() const { return *std::min_element(rounds.begin(), rounds.end()); }
  double slowest() const { return *std::max_element(rounds.begin(), rounds.end()); }
  /// Half of the distance between the extreme rounds, relative to the median.
  double spread() const;
};

/// Results may be compared where all of this agrees.
struct Setting {
  std::string device, device_name, processor;
  int cores = 0;
  std::string precision;
  std::vector<int> threads;
};

struct Results {
  Setting setting;
  std::string date, commit;                ///< UTC; what the program was built from
  double seconds = 0;                      ///< time given to each case
  double load_before = 0, load_after = 0;  ///< number of processes running, average of a minute
  std::vector<Row> cases = {};             ///< the peaks first

  const Row* find(const std::string& name, int threads) const;
  /// The machine's, from their medians or from their fastest rounds. Throws Error(data) where one is missing.
  Peaks peaks(int threads, double (Row::*seconds)() const = &Row::seconds) const;
  /// The time of a row's work at the highest rates.
  Bound bound(const Row& row) const { return bound_of(row.work, peaks(row.threads, &Row::fastest)); }
};

/// A JSON object of all this, "engine" for convolutions only; each case also with what follows from it:
/// "seconds", "spread", "rate", "peak" (the kind) and "share" of it.
void write_results(const Results& results, const std::filesystem::path& file);
/// Throws Error(io), or Error(data) for a file that is none of write_results().
Results read_results(const std::filesystem::path& file);
/// A line on the machine, a line per case.
void print_results(const Results& results);

}  // namespace vae::bench
