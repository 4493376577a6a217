#pragma once
// Runs beside each other: those that differ by their seed alone are one row, with mean and spread.
#include "nn/report/html_report.h"
#include "tools/runs/stored_run.h"

namespace vae::runs {

struct Table {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
  /// In lines, columns aligned.
  std::string text() const;
};

/// Columns: the runs; the tool and those options in which the rows differ; results by name, by default those
/// of the test images. Throws Error(usage) for a result that no run has.
Table compare(const std::vector<StoredRun>& runs, const std::vector<std::string>& results);

/// Of each compared result that was measured during training, by its name.
struct Chart {
  std::string result;
  report::Figure figure;
};
std::vector<Chart> charts_of(const std::vector<StoredRun>& runs, const std::vector<std::string>& results);

/// The table and the charts.
report::HtmlReport report_of(const std::vector<StoredRun>& runs, const std::vector<std::string>& results);

}  // namespace vae::runs
