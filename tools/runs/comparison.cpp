#include "tools/runs/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "nn/report/line_chart.h"
#include "nn/report/statistics.h"
#include "tensor/error.h"
#include "tools/common/option_table.h"

namespace vae::runs {
namespace {

using Row = std::vector<const StoredRun*>;

/// Options that leave a run the same, or only draw it anew.
const std::set<std::string> kNotOfTheModel{"seed",  "seeds",    "device",           "threads",
                                           "graph", "data-dir", "checkpoint-every", "comm-timeout"};
constexpr size_t kMostOptions = 6;  // that a table shows

nlohmann::json options_of(const StoredRun& run) {
  nlohmann::json options = run.config;
  for (const std::string& name : kNotOfTheModel) options.erase(name);
  return options;
}

/// Runs of the same options, in the order of the first of each.
std::vector<Row> rows_of(const std::vector<StoredRun>& runs) {
  std::vector<Row> rows;
  for (const StoredRun& run : runs) {
    const auto row =
        std::ranges::find_if(rows, [&](const Row& r) { return options_of(*r[0]) == options_of(run); });
    if (row == rows.end())
      rows.push_back({&run});
    else
      row->push_back(&run);
  }
  return rows;
}

std::string option(const StoredRun& run, const std::string& name) {
  return run.config.contains(name) ? tool::text_of(run.config[name]) : "-";
}

/// The tool first, then options by name.
std::vector<std::string> differing_options(const std::vector<Row>& rows) {
  std::set<std::string> names;
  for (const Row& row : rows) {
    const nlohmann::json options = options_of(*row[0]);
    for (const auto& [name, value] : options.items()) names.insert(name);
  }
  std::erase_if(names, [&](const std::string& name) {
    return std::ranges::all_of(
        rows, [&](const Row& row) { return option(*row[0], name) == option(*rows[0][0], name); });
  });
  std::vector<std::string> ordered;
  if (names.erase(tool::kToolKey)) ordered.emplace_back(tool::kToolKey);
  ordered.insert(ordered.end(), names.begin(), names.end());
  ordered.resize(std::min(ordered.size(), kMostOptions));
  return ordered;
}

bool any_has(const std::vector<StoredRun>& runs, const std::string& result) {
  return std::ranges::any_of(runs, [&](const StoredRun& run) { return run.results.contains(result); });
}

/// Those of the test images; without any, all.
std::vector<std::string> default_results(const std::vector<StoredRun>& runs) {
  std::vector<std::string> all, of_test;
  for (const StoredRun& run : runs)
    for (const auto& [name, value] : run.results.items()) {
      if (std::ranges::count(all, name) || name == "iterations" || name == "step" || name == "epoch")
        continue;
      all.push_back(name);
      if (name.starts_with("test_")) of_test.push_back(name);
    }
  return of_test.empty() ? all : of_test;
}

std::vector<std::string> chosen(const std::vector<StoredRun>& runs, const std::vector<std::string>& results) {
  for (const std::string& name : results)
    if (!any_has(runs, name)) fail(ErrorKind::usage, "--results: no run has a number '{}'", name);
  return results.empty() ? default_results(runs) : results;
}

/// "0.9018", of runs that differ "0.9018 ± 0.0021", "-" where there is none.
std::string cell(const Row& row, const std::string& result) {
  std::vector<double> values;
  for (const StoredRun* run : row)
    if (run->results.contains(result)) values.push_back(run->results[result].get<double>());
  if (values.empty()) return "-";
  const report::MeanStd summary = report::mean_std(values);
  if (values.size() == 1 || summary.std == 0) return fmt::format("{:.5g}", summary.mean);
  return fmt::format("{:.5g} ± {:.2g}", summary.mean, summary.std);
}

std::string names(const Row& row) {
  constexpr size_t kMost = 3;
  std::string text;
  for (size_t i = 0; i < std::min(row.size(), kMost); ++i)
    text += (i ? ", " : "") + row[i]->name + (row[i]->finished ? "" : " (unfinished)");
  return row.size() > kMost ? text + fmt::format(" and {} more", row.size() - kMost) : text;
}

report::LineChart chart_of(const std::vector<StoredRun>& runs, const std::string& result) {
  report::LineChart chart{.series = {}, .title = result, .x_label = "iteration"};
  for (const StoredRun& run : runs) {
    if (!run.metrics.contains(result)) continue;
    report::Series series = run.metrics.series(result);
    if (series.y.empty()) continue;
    series.name = run.name;
    chart.series.push_back(std::move(series));
  }
  return chart;
}

}  // namespace

std::string Table::text() const {
  std::vector<size_t> widths(header.size());
  const auto each_line = [&](const auto& visit) {
    visit(header);
    for (const auto& row : rows) visit(row);
  };
  const auto width_of = [](const std::string& cell) {  // in characters of UTF-8
    return static_cast<size_t>(std::ranges::count_if(cell, [](char c) { return (c & 0xC0) != 0x80; }));
  };
  each_line([&](const std::vector<std::string>& cells) {
    for (size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], width_of(cells[i]));
  });
  std::string lines;
  each_line([&](const std::vector<std::string>& cells) {
    for (size_t i = 0; i < cells.size(); ++i) {
      const std::string space(widths[i] - width_of(cells[i]), ' ');
      lines += i == 0 ? cells[i] + space : "  " + space + cells[i];
    }
    lines += '\n';
  });
  return lines;
}

Table compare(const std::vector<StoredRun>& runs, const std::vector<std::string>& results) {
  const std::vector<Row> rows = rows_of(runs);
  const std::vector<std::string> options = differing_options(rows), numbers = chosen(runs, results);
  Table table;
  table.header = {"run"};
  table.header.insert(table.header.end(), options.begin(), options.end());
  table.header.insert(table.header.end(), {"seeds", "iterations"});
  table.header.insert(table.header.end(), numbers.begin(), numbers.end());
  for (const Row& row : rows) {
    std::vector<std::string> cells{names(row)};
    for (const std::string& name : options) cells.push_back(option(*row[0], name));
    cells.push_back(fmt::to_string(row.size()));
    cells.push_back(cell(row, row[0]->finished ? "iterations" : "step"));
    for (const std::string& name : numbers) cells.push_back(cell(row, name));
    table.rows.push_back(std::move(cells));
  }
  return table;
}

std::vector<Chart> charts_of(const std::vector<StoredRun>& runs, const std::vector<std::string>& results) {
  std::vector<Chart> charts;
  for (const std::string& name : chosen(runs, results))
    if (report::LineChart chart = chart_of(runs, name); !chart.series.empty())
      charts.push_back({name, report::line_chart_figure(std::move(chart))});
  return charts;
}

report::HtmlReport report_of(const std::vector<StoredRun>& runs, const std::vector<std::string>& results) {
  report::HtmlReport html("Runs compared");
  const Table table = compare(runs, results);
  html.add_table(table.header, table.rows);
  html.add_section("During training");
  for (const Chart& chart : charts_of(runs, results)) html.add_figure(chart.figure, "");
  return html;
}

}  // namespace vae::runs
