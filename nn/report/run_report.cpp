#include "nn/report/run_report.h"

#include <fmt/format.h>

#include "nn/report/classes.h"
#include "nn/report/line_chart.h"
#include "nn/report/series.h"
#include "nn/report/statistics.h"
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

/// Adds a part of the report; one that cannot be made leaves a line in its place.
template <class Add>
void add(HtmlReport& html, const std::string& title, const Add& part) {
  html.add_section(title);
  try {
    part();
  } catch (const std::exception& e) {
    html.add_text(fmt::format("Left out: {}", e.what()));
  }
}

void add_curves(HtmlReport& html, const fs::path& run, const Summary& summary) {
  const Metrics metrics = read_metrics(run / "metrics.csv");
  for (const auto& [title, y_label, columns] : summary.charts) {
    LineChart lines{.series = {}, .title = title, .x_label = "iteration", .y_label = y_label};
    for (const std::string& column : columns)
      if (metrics.contains(column)) lines.series.push_back(metrics.series(column));
    html.add_figure(line_chart_figure(lines), "");
  }
}

void add_class_rates(HtmlReport& html, const Confusion& confusion) {
  std::vector<std::vector<std::string>> rows;
  for (int k = 0; k < std::min<int64_t>(confusion.classes(), kMostTableClasses); ++k)
    rows.push_back({confusion.name(k), fmt::to_string(confusion.samples(k)), percent(confusion.recall(k)),
                    percent(confusion.precision(k))});
  html.add_table({"class", "images", "accuracy", "precision"}, rows, true);
  if (const std::string part = shown_of(kMostTableClasses, confusion.classes()); !part.empty())
    html.add_text(part);
}

void add_class_names(HtmlReport& html, const std::vector<std::string>& names) {
  std::vector<Fact> classes;
  for (int64_t k = 0; k < std::min(std::ssize(names), kMostTableClasses); ++k)
    classes.push_back({fmt::to_string(k), class_name(names, k, 100)});
  html.add_facts(classes);
  if (std::ssize(names) > kMostTableClasses)
    html.add_text(fmt::format("and {} further classes", std::ssize(names) - kMostTableClasses));
}

/// Names of files may be no UTF-8.
std::string text_of(const nlohmann::ordered_json& json) {
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

void write_results(const fs::path& run, const Summary& summary, const RunFacts& facts) {
  nlohmann::ordered_json results = summary.results;
  results["iterations"] = facts.iterations;
  if (!facts.class_names.empty()) results["class_names"] = facts.class_names;
  write_file_atomically(run / "results.json", text_of(results));
}

void write_report(const fs::path& run, const Summary& summary, const std::vector<ShownPicture>& pictures,
                  const RunFacts& facts) {
  HtmlReport html(summary.title, run.string());
  std::vector<Fact> headline = summary.headline;
  headline.push_back({"training time", duration(facts.seconds)});
  html.add_headline(headline);
  for (const std::string& line : summary.left_out) html.add_text(line);
  add(html, "Training", [&] { add_curves(html, run, summary); });
  add(html, "Pictures", [&] {
    for (const auto& [png, caption, figure] : pictures)
      figure ? html.add_figure(*figure, caption) : html.add_png(png, caption);
  });
  if (summary.confusion)
    add(html, "Confusion on the test images", [&] {
      html.add_figure(summary.confusion->figure(), "");
      add_class_rates(html, *summary.confusion);
    });
  add(html, "Configuration", [&] { html.add_json(facts.config); });
  html.add_section("Data");
  html.add_table({"part", "set", "images", "shape", "sha256"}, facts.data);
  if (!facts.class_names.empty()) add(html, "Classes", [&] { add_class_names(html, facts.class_names); });
  html.add_section("Environment");
  std::vector<Fact> environment = facts.environment;
  environment.push_back({"iterations", fmt::to_string(facts.iterations)});
  environment.push_back({"seconds of training", fmt::format("{:.1f}", facts.seconds)});
  html.add_facts(environment);
  html.write(run / "report.html");
}

}  // namespace vae::report
