// runs compare RUN...: trained runs beside each other (docs/tools.md).
#include <CLI/CLI.hpp>
#include <algorithm>

#include "tensor/print.h"
#include "tools/common/cli.h"
#include "tools/runs/comparison.h"

namespace {

using namespace vae;

/// RESULT.pdf each; a slash in a result's name is no folder.
void write_figures(const std::filesystem::path& folder, const std::vector<runs::Chart>& charts) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);  // what cannot be written into says so
  for (const auto& [result, figure] : charts) {
    std::string name = result + ".pdf";
    std::ranges::replace(name, '/', '_');
    figure.write(folder / name);
    say("figure: {}\n", (folder / name).string());
  }
}

int run(int argc, char** argv) {
  CLI::App app{"What trained runs hold.", "runs"};
  app.require_subcommand(1);
  app.footer(tool::kExitCodes);
  CLI::App& compare = *app.add_subcommand(
      "compare",
      "one table of several runs; those that differ by their seed alone are one row, with mean and spread");
  std::vector<std::string> folders, results;
  std::string html, figures;
  compare.add_option("RUN", folders, "run directories, also of several seeds")->required();
  compare
      .add_option("--results", results,
                  "numbers that are compared, between commas (default: those of the test images)")
      ->delimiter(',');
  compare.add_option("--html", html, "write the table and charts to this file, too");
  compare.add_option("--figures", figures, "write the charts to this folder as PDF, for papers");
  if (!tool::parse_command_line(app, argc, argv)) return 0;
  std::vector<runs::StoredRun> all;
  for (const std::string& folder : folders)
    for (runs::StoredRun& run : runs::read_runs(folder)) all.push_back(std::move(run));
  say("{}", runs::compare(all, results).text());
  if (!html.empty()) {
    runs::report_of(all, results).write(html);
    say("report: {}\n", html);
  }
  if (!figures.empty()) write_figures(figures, runs::charts_of(all, results));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return vae::tool::guarded_main([&] { return run(argc, argv); });
}
