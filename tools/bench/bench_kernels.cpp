// bench_kernels [FILTER...]: every kernel on shapes of the models, or on a user's own: checked against f64 on
// the CPU, timed with cold caches, compared with what the machine can do and with what was measured before.
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>
#include <set>

#include "tools/bench/compare.h"
#include "tools/bench/machine.h"
#include "tools/bench/measure.h"
#include "tools/bench/shapes.h"
#include "tools/common/cli.h"
#include "tools/common/run_options.h"
#include "tools/common/version.h"

namespace vae {
namespace {

struct Options {
  std::vector<std::string> filters, shapes;
  std::filesystem::path json, compare, from;
  Device device;
  kernels::Precision precision = kernels::Precision::fp32;
  std::vector<int> threads;
  double seconds = 0.5;
  int64_t rounds = 7;
  bool list = false;

  bool match(const std::string& name) const {
    return filters.empty() || std::any_of(filters.begin(), filters.end(), [&](const std::string& filter) {
             return name.find(filter) != std::string::npos;
           });
  }
};

void describe(const tool::OptionTable& table, Options& o) {
  table.add("json", o.json, "also write the results to this file");
  table.add("compare", o.compare, "compare with the results in this file");
  table.add("from", o.from, "show the results in this file instead of measuring");
  table.add("seconds", o.seconds, "time for each case", tool::positive());
  table.add("rounds", o.rounds, "repeats of each case", tool::at_least(3));
  table.flag("list", o.list, "print the names only");
  table.add("device", o.device, "cpu or cuda:N", tool::devices());
  table.add("threads", o.threads, "CPU threads, one row for each, e.g. 1,2; none: all cores",
            tool::list_of<int>(1, 1024, "of numbers of threads like 1,2", true));
  table.add("precision", o.precision, tool::kPrecisionHelp, tool::precisions());
}

bool parse(int argc, char** argv, Options& o) {
  CLI::App app("Times kernels on the shapes of the models.", "bench_kernels");
  app.footer(bench::shapes_help() + "\n" + tool::kExitCodes);
  const tool::OptionTable table = tool::described(o);
  app.add_option("filter", o.filters, "only cases whose name contains one of these, e.g. gemm 'sum columns'");
  app.add_option("--shape", o.shapes,
                 "these shapes instead of the models', e.g. gemm=1000x784x500; repeatable")
      ->allow_extra_args(false);
  table.add_to(app);
  return tool::parse_command_line(app, argc, argv);
}

/// The cases asked for, and the peaks.
bench::Cases cases_of(const Options& o) {
  bench::Cases cases;
  for (const std::string& shape : std::set(o.shapes.begin(), o.shapes.end())) bench::add_shape(cases, shape);
  if (o.shapes.empty())
    for (const auto add : {bench::add_elementwise, bench::add_rows, bench::add_products, bench::add_training})
      add(cases);
  std::erase_if(cases.list, [&](const bench::Case& c) { return !o.match(c.name()); });
  bench::add_peaks(cases, o.device);
  return cases;
}

/// What is known before anything is measured: the rows lack their rounds.
bench::Results prepared(const Options& o, const bench::Cases& cases) {
  require_device(o.device);
  bench::Results results{
      .setting = bench::setting_of(o.device, o.threads, tool::precisions().print(o.precision)),
      .date = bench::date(),
      .commit = tool::commit(),
      .seconds = o.seconds};
  for (const bench::Case& c : cases.list)
    for (const int threads : results.setting.threads)
      results.cases.push_back({c.kernel, c.shape, threads, c.work});
  return results;
}

/// The results in a file, of the cases asked for.
bench::Results stored(const Options& o, const std::filesystem::path& file) {
  bench::Results results = bench::read_results(file);
  std::erase_if(results.cases, [&](const bench::Row& row) { return !row.is_peak() && !o.match(row.name()); });
  return results;
}

std::vector<std::string> measure(const Options& o, const bench::Cases& cases, bench::Results& results) {
  results.load_before = bench::load();
  const std::vector<std::string> wrong = bench::measure(cases.list, o.device, o.rounds, results);
  results.load_after = bench::load();
  return wrong;
}

int run(int argc, char** argv) {
  Options o;
  if (!parse(argc, argv, o)) return 0;
  const kernels::PrecisionScope precision(o.precision);
  const bool measures = o.from.empty();
  if (measures) tool::note_slow_products({.device = o.device, .precision = o.precision});
  const bench::Cases cases = measures ? cases_of(o) : bench::Cases{};
  bench::Results now = measures ? prepared(o, cases) : stored(o, o.from);
  if (now.cases.back().is_peak()) fail(ErrorKind::usage, "no kernel matches (see --list)");
  if (o.list) {
    for (const bench::Row& row : now.cases)
      if (!row.is_peak() && row.threads == now.setting.threads[0]) fmt::print("{}\n", row.name());
    return 0;
  }
  std::optional<bench::Results> then;
  if (!o.compare.empty()) {
    then = stored(o, o.compare);
    check_comparable(now, *then, o.compare);
  }
  std::vector<std::string> wrong;
  if (measures) wrong = measure(o, cases, now);
  print_results(now);
  if (!o.json.empty()) write_results(now, o.json);
  if (then) print_comparison(now, *then, o.compare);
  if (!wrong.empty())  // said last, so that it hides no other case
    fail(ErrorKind::numeric, "{} of {} cases are wrong: {}", wrong.size(), cases.list.size(),
         fmt::join(wrong, "; "));
  return 0;
}

}  // namespace
}  // namespace vae

int main(int argc, char** argv) {
  return vae::tool::guarded_main([&] { return vae::run(argc, argv); });
}
