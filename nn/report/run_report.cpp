#include "nn/report/run_report.h"

#include <fmt/format.h>

#include "nn/report/line_chart.h"
#include "nn/report/series.h"
#include "tensor/file.h"

namespace vae::report {
namespace {

namespace fs = std::filesystem;

/// "1 h 02 min", "3 min 05 s", "12.3 s"
std::string duration(double seconds) {
  const auto whole = static_cast<int64_t>(seconds + 0.5);
  if (whole >= 3600) return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
  if (whole >= 60) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{:.1f} s", seconds);
}

void add_curves(HtmlReport& html, const fs::path& run, const Summary& summary) {
  const Metrics metrics = read_metrics(run / "metrics.csv");
  html.add_section("Training");
  for (const auto& [title, y_label, columns] : summary.charts) {
    LineChart lines{.series = {}, .title = title, .x_label = "iteration", .y_label = y_label};
    for (const std::string& column : columns)
      if (metrics.contains(column)) lines.series.push_back(metrics.series(column));
    html.add_figure(line_chart_figure(lines), "");
  }
}

/// Pictures are embedded as written.
void add_pictures(HtmlReport& html, const fs::path& run, const Summary& summary) {
  html.add_section("Pictures");
  for (const NamedPicture& picture : summary.pictures)
    if (const fs::path file = run / (picture.name + ".png"); fs::exists(file))
      html.add_png(read_file(file), picture.caption);
}

}  // namespace

void write_run_report(const fs::path& run, const Summary& summary, const RunFacts& facts) {
  nlohmann::ordered_json results = summary.results;
  results["iterations"] = facts.iterations;
  write_file_atomically(run / "results.json", results.dump(2) + "\n");
  HtmlReport html(summary.title, run.string());
  std::vector<Fact> headline = summary.headline;
  headline.push_back({"training time", duration(facts.seconds)});
  html.add_headline(headline);
  add_curves(html, run, summary);
  add_pictures(html, run, summary);
  if (summary.confusion) {
    html.add_section("Confusion on the test images");
    html.add_figure(summary.confusion->figure(), "");
  }
  html.add_section("Configuration");
  html.add_json(facts.config);
  html.add_section("Data");
  html.add_table({"part", "set", "images", "shape", "sha256"}, facts.data);
  html.add_section("Environment");
  std::vector<Fact> environment = facts.environment;
  environment.push_back({"compiler", fmt::format("g++ {}", __VERSION__)});
  environment.push_back({"iterations", fmt::to_string(facts.iterations)});
  environment.push_back({"seconds of training", fmt::format("{:.1f}", facts.seconds)});
  html.add_facts(environment);
  html.write(run / "report.html");
}

}  // namespace vae::report
