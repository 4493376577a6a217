// Figures and logs of runs as the reference's notebook shows and writes them.
#include <algorithm>

#include "nn/report/line_chart.h"
#include "nn/report/panels.h"
#include "nn/train/run_files.h"
#include "tensor/compare.h"
#include "tensor/file.h"
#include "tensor/print.h"
#include "tensor/safetensors.h"
#include "tools/sym_vae/options.h"

namespace vae::sym_vae {
namespace {

namespace fs = std::filesystem;
using tool::OptionTable;

/// Averages that are logged per bit or pixel, in the order of the panels; a run has those of its learning.
constexpr std::array kLosses{"ploss1", "plossx", "qloss0",  "qloss1",  "ploss",
                             "qloss",  "dloss",  "kl0loss", "kl1loss", "klloss"};
/// Column of the mean mutual information, tensor of that of each bit, file of the sorted ones, title.
struct Information {
  const char *column, *tensor, *file, *title;
};
constexpr std::array<Information, 3> kInformation{{{"pmi1", "z1_p_mi", "statp1", "p, z1"},
                                                   {"qmi0", "z0_q_mi", "statq0", "q, z0"},
                                                   {"qmi1", "z1_q_mi", "statq1", "q, z1"}}};

/// Paths between commas.
tool::Spelling<std::vector<fs::path>> paths() {
  const auto parse = [](const std::string& text) {
    std::vector<fs::path> list;
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find(',', begin), text.size());
      list.emplace_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
    return list;
  };
  const auto print = [](const std::vector<fs::path>& list) {
    std::string text;
    for (const fs::path& path : list) text += (text.empty() ? "" : ",") + path.string();
    return text;
  };
  return {"TEXT", parse, print};
}

/// What is read of a run.
struct Log {
  std::string name;
  fs::path folder;
  report::Metrics metrics;
  SafeTensors state;
};

Log log_of(const fs::path& run) {
  return {fs::absolute(run).lexically_normal().filename().string(), run,
          report::read_metrics(run / "metrics.csv"), load_safetensors(run / train::kCheckpointFile)};
}

/// Of each bit, ascending; empty for a run without.
std::vector<double> sorted_information(const Log& log, const Information& of) {
  if (!log.state.contains(of.tensor)) return {};
  std::vector<double> bits = to_doubles(log.state.at(of.tensor));
  std::ranges::sort(bits);
  return bits;
}

report::Figure chart(const std::string& title, const std::string& x_label,
                     std::vector<report::Series> series) {
  if (std::ranges::all_of(series, [](const report::Series& s) { return s.x.empty(); })) return {};
  return report::line_chart_figure({.series = std::move(series), .title = title, .x_label = x_label});
}

/// A column of all runs, up to an iteration; a run without it keeps its colour.
report::Figure curves(const std::vector<Log>& logs, const std::string& column, const std::string& title,
                      int64_t most_steps) {
  std::vector<report::Series> series;
  for (const Log& log : logs) {
    report::Series& s = series.emplace_back(report::Series{log.name, {}, {}});
    if (!log.metrics.contains(column)) continue;
    s = log.metrics.series(column);
    const auto end =
        most_steps > 0 ? std::ranges::upper_bound(s.x, static_cast<double>(most_steps)) : s.x.end();
    const auto count = static_cast<size_t>(end - s.x.begin());
    s.x.resize(count), s.y.resize(count), s.name = log.name;
  }
  return chart(title, "update", std::move(series));
}

report::Figure losses_figure(const std::vector<Log>& logs, int64_t most_steps) {
  std::vector<report::Figure> figures{curves(logs, "len", "len", most_steps)};
  for (const char* loss : kLosses)
    if (report::Figure figure = curves(logs, loss, loss, most_steps); figure.draw) figures.push_back(figure);
  return report::panels(figures, figures.size() == 4 ? 2 : 3);
}

/// Means above, sorted bits of the last snapshot below; without a drawing where no run has them.
report::Figure information_figure(const std::vector<Log>& logs, int64_t most_steps) {
  std::vector<report::Figure> figures;
  for (const Information& of : kInformation)
    figures.push_back(curves(logs, of.column, fmt::format("mutual information {}", of.title), most_steps));
  for (const Information& of : kInformation) {
    std::vector<report::Series> series;
    for (const Log& log : logs) {
      report::Series& s = series.emplace_back(report::Series{log.name, {}, {}});
      s.y = sorted_information(log, of);
      for (size_t i = 0; i < s.y.size(); ++i) s.x.push_back(static_cast<double>(i));
    }
    figures.push_back(chart(fmt::format("bits {}, sorted", of.title), "bit", std::move(series)));
  }
  if (!figures[0].draw) return {};
  return report::panels(figures, 3);
}

int run_plot(tool::Run& run, Options& o) {
  std::vector<Log> logs{log_of(run.folder())};
  for (const fs::path& other : o.with) logs.push_back(log_of(other));
  run.write("losses", losses_figure(logs, o.most_steps));
  const report::Figure information = information_figure(logs, o.most_steps);
  if (information.draw) run.write("mutual_information", information);
  for (const Log& log : logs) {
    const report::Series seconds = report::read_metrics(log.folder / "timing.csv").series("seconds");
    if (!seconds.x.empty())
      say("{}: {:.0f} updates, {:.4g} per second\n", log.name, seconds.x.back(),
          seconds.x.back() / seconds.y.back());
  }
  return 0;
}

/// Rows of "key: value" and the sorted information of the bits.
int run_log(tool::Run& run, Options&) {
  const Log log = log_of(run.folder());
  const fs::path folder = train::claim_folder(run.folder(), "logs");
  fs::create_directories(folder);
  const report::Series seconds = report::read_metrics(run.folder() / "timing.csv").series("seconds");
  std::vector<std::string> columns{"len"};
  for (const char* loss : kLosses)
    if (log.metrics.contains(loss)) columns.emplace_back(loss);
  for (const Information& of : kInformation)
    if (log.metrics.contains(of.column)) columns.emplace_back(of.column);
  std::string text = fmt::format("# {}\n", log.name);
  std::vector<report::Series> series;
  for (const std::string& column : columns) series.push_back(log.metrics.series(column));
  for (size_t row = 0; row < std::min(seconds.x.size(), series[0].x.size()); ++row) {
    text += fmt::format("time: {} count: {:.0f}", seconds.y[row], series[0].x[row] - 1);
    for (size_t c = 0; c < columns.size(); ++c) text += fmt::format(" {}: {}", columns[c], series[c].y[row]);
    text += "\n";
  }
  const auto file = [&](const char* what) { return folder / fmt::format("{}-{}.txt", what, log.name); };
  write_file_atomically(file("log"), text);
  for (const Information& of : kInformation) {
    const std::vector<double> bits = sorted_information(log, of);
    if (!bits.empty()) write_file_atomically(file(of.file), fmt::format("{}\n", fmt::join(bits, "\n")));
  }
  say("{}\n", file("log").string());
  return 0;
}

}  // namespace

tool::Inspection<Options> plot() {
  const auto describe = [](const OptionTable& t, Options& o) {
    t.add("with", o.with, "further runs, between commas, in the same figures", paths());
    t.add("most-steps", o.most_steps, "updates that are shown; 0: all", tool::at_least(0));
  };
  return {"plot", "figures of losses and mutual information, of one run or several", describe, run_plot};
}

tool::Inspection<Options> log() {
  return {"log", "the log of a run in the reference's form, in its folder logs", {}, run_log};
}

}  // namespace vae::sym_vae
