// runs compare RUN...: trained runs beside each other (docs/tools.md).
#include <CLI/CLI.hpp>

#include "tensor/print.h"
#include "tools/common/cli.h"
#include "tools/runs/comparison.h"

namespace {

using namespace vae;

int run(int argc, char** argv) {
  CLI::App app{"What trained runs hold.", "runs"};
  app.require_subcommand(1);
  app.footer(tool::kExitCodes);
  CLI::App& compare = *app.add_subcommand(
      "compare",
      "one table of several runs; those that differ by their seed alone are one row, with mean and spread");
  std::vector<std::string> folders, results;
  std::string html;
  compare.add_option("RUN", folders, "run directories, also of several seeds")->required();
  compare
      .add_option("--results", results,
                  "numbers that are compared, between commas (default: those of the test images)")
      ->delimiter(',');
  compare.add_option("--html", html, "write the table and charts to this file, too");
  if (!tool::parse_command_line(app, argc, argv)) return 0;
  std::vector<runs::StoredRun> all;
  for (const std::string& folder : folders)
    for (runs::StoredRun& run : runs::read_runs(folder)) all.push_back(std::move(run));
  say("{}", runs::compare(all, results).text());
  if (html.empty()) return 0;
  runs::report_of(all, results).write(html);
  say("report: {}\n", html);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return vae::tool::guarded_main([&] { return run(argc, argv); });
}
