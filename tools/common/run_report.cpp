#include "tools/common/run_report.h"

#include "nn/report/html_report.h"
#include "nn/report/line_chart.h"
#include "nn/report/series.h"
#include "tensor/file.h"
#include "tensor/parallel.h"

namespace vae {
namespace {

namespace fs = std::filesystem;

void add_curves(report::HtmlReport& html, const fs::path& run, const RunSummary& summary) {
  const report::Metrics metrics = report::read_metrics(run / "metrics.csv");
  html.add_section("Training");
  for (const auto& [title, y_label, columns] : summary.charts) {
    report::LineChart lines{.series = {}, .title = title, .x_label = "iteration", .y_label = y_label};
    for (const std::string& column : columns)
      if (metrics.contains(column)) lines.series.push_back(metrics.series(column));
    html.add_figure(report::line_chart_figure(lines), "");
  }
}

/// Pictures are embedded as written.
void add_pictures(report::HtmlReport& html, const fs::path& run, const RunSummary& summary) {
  html.add_section("Pictures");
  for (const auto& [file, caption] : summary.pictures)
    if (fs::exists(run / file)) html.add_png(read_file(run / file), caption);
}

void add_data(report::HtmlReport& html, const Images& images) {
  html.add_section("Data");
  std::vector<std::vector<std::string>> rows;
  for (const data::Dataset* part : {&images.train, &images.test})
    rows.push_back({part == &images.train ? "training" : "test", part->name, fmt::to_string(part->size()),
                    part->images.shape().str(), part->sha256});
  html.add_table({"part", "set", "images", "shape", "sha256"}, rows);
}

}  // namespace

std::string duration(double seconds) {
  const auto whole = static_cast<int64_t>(seconds + 0.5);
  if (whole >= 3600) return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
  if (whole >= 60) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{:.1f} s", seconds);
}

void write_report(const fs::path& run, const RunSummary& summary, const nlohmann::ordered_json& config,
                  const Images& images, const train::LoopResult& result, const RunOptions& options) {
  nlohmann::ordered_json results = summary.results;
  results["iterations"] = result.iterations;
  write_file_atomically(run / "results.json", results.dump(2) + "\n");
  report::HtmlReport html(summary.title, run.string());
  auto headline = summary.headline;
  headline.push_back({"training time", duration(result.seconds)});
  html.add_headline(headline);
  add_curves(html, run, summary);
  add_pictures(html, run, summary);
  if (summary.confusion) {
    html.add_section("Confusion on the test images");
    html.add_figure(summary.confusion->figure(), "");
  }
  html.add_section("Configuration");
  html.add_json(config);
  add_data(html, images);
  html.add_section("Environment");
  html.add_facts({{"device", options.device},
                  {"CPU threads", fmt::to_string(num_threads())},
                  {"compiler", fmt::format("g++ {}", __VERSION__)},
                  {"iterations", fmt::to_string(result.iterations)},
                  {"seconds of training", fmt::format("{:.1f}", result.seconds)}});
  html.write(run / "report.html");
}

}  // namespace vae
