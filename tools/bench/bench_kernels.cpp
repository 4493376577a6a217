// bench_kernels [FILTER...]: every kernel on shapes of the models: checked against f64 on the CPU, timed with
// cold caches, compared with what the machine can do (a copy and a matrix product measured in the same run).
#include <CLI/CLI.hpp>
#include <algorithm>

#include "tensor/file.h"
#include "tools/bench/measure.h"
#include "tools/common/cli.h"
#include "tools/common/run_options.h"

namespace vae {
namespace {

using bench::Case;

bool matches(const Case& c, const std::vector<std::string>& filters) {
  const std::string name = c.kernel + " " + c.shape;
  return filters.empty() || std::any_of(filters.begin(), filters.end(), [&](const std::string& filter) {
           return name.find(filter) != std::string::npos;
         });
}

int run(int argc, char** argv) {
  CLI::App app("Times kernels on the shapes of the models.", "bench_kernels");
  std::vector<std::string> filters;
  std::filesystem::path json_file;
  tool::DeviceOptions options;
  double seconds = 0.2;
  bool list = false;
  tool::OptionTable table;
  table.add("json", json_file, "also write the results to this file");
  table.add("seconds", seconds, "time for each case", tool::positive());
  table.flag("list", list, "print the names only");
  describe(table, options);
  app.add_option("filter", filters, "only cases whose name contains one of these, e.g. gemm 'sum columns'");
  table.add_to(app);
  if (!tool::parse_command_line(app, argc, argv)) return 0;
  const Device device = tool::prepare_device(options);
  const kernels::PrecisionScope precision(options.precision);
  bench::Cases cases;
  for (const auto add : {bench::add_elementwise, bench::add_rows, bench::add_products, bench::add_training})
    add(cases);
  std::erase_if(cases.list, [&](const Case& c) { return !matches(c, filters); });
  if (cases.list.empty()) fail(ErrorKind::usage, "no kernel matches (see --list)");
  if (list) {
    for (const Case& c : cases.list) fmt::print("{} {}\n", c.kernel, c.shape);
    return 0;
  }
  const bench::Peak peak = bench::measure_peak(device);
  fmt::print("{} ({}): copy {:.1f} GB/s, product {:.0f} GFLOP/s\n", device.str(),
             tool::name_of(options.precision), peak.copy * 1e-9, peak.flops * 1e-9);
  nlohmann::json results{{"device", device.str()},
                         {"precision", tool::name_of(options.precision)},
                         {"copy", peak.copy},
                         {"flops", peak.flops}};
  for (const Case& c : cases.list) results["cases"].push_back(bench::measure(c, device, peak, seconds));
  if (!json_file.empty()) write_file_atomically(json_file, results.dump(1) + "\n");
  return 0;
}

}  // namespace
}  // namespace vae

int main(int argc, char** argv) {
  return vae::tool::guarded_main([&] { return vae::run(argc, argv); });
}
