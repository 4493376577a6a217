// bench_kernels [FILTER...]: every kernel on shapes of the models: checked against f64 on the CPU, timed with
// cold caches, compared with what the machine can do (a copy and a matrix product measured in the same run).
#include <algorithm>
#include <nlohmann/json.hpp>

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

nlohmann::json time_case(const Case& c, Device device, const bench::Peak& peak, double seconds) {
  const bench::Result r = bench::measure(c, device, peak, seconds);
  const bool counts_flops = c.flops > 0;
  fmt::print("{:<16} {:<34} {:>10.1f} us {:>8.1f} {} {:>5.0f} %   error {:.0e}\n", c.kernel, c.shape,
             r.seconds * 1e6, r.rate * 1e-9, counts_flops ? "GFLOP/s" : "GB/s   ", 100 * r.share, r.error);
  std::fflush(stdout);
  return {{"kernel", c.kernel}, {"shape", c.shape}, {"seconds", r.seconds},     {"bytes", c.bytes},
          {"flops", c.flops},   {"rate", r.rate},   {"share_of_peak", r.share}, {"error", r.error}};
}

int run(int argc, char** argv) {
  CLI::App app("Times kernels on the shapes of the models.", "bench_kernels");
  std::vector<std::string> filters;
  std::string json_file;
  RunOptions options;
  double seconds = 0.2;
  bool list = false;
  app.add_option("filter", filters, "only cases whose name contains one of these, e.g. gemm 'sum columns'");
  app.add_option("--json", json_file, "also write the results to this file");
  app.add_option("--seconds", seconds, "time for each case")->check(positive())->capture_default_str();
  app.add_flag("--list", list, "print the names only");
  add_device_options(app, options);
  if (!parse_command_line(app, argc, argv)) return 0;
  const Device device = prepare_device(options);
  std::vector<Case> cases = bench::all_cases();
  std::erase_if(cases, [&](const Case& c) { return !matches(c, filters); });
  if (cases.empty()) fail(ErrorKind::usage, "no kernel matches (see --list)");
  if (list) {
    for (const Case& c : cases) fmt::print("{} {}\n", c.kernel, c.shape);
    return 0;
  }
  const bench::Peak peak = bench::measure_peak(device);
  fmt::print("{} ({}): copy {:.1f} GB/s, product {:.0f} GFLOP/s\n", device.str(), options.precision,
             peak.copy * 1e-9, peak.flops * 1e-9);
  nlohmann::json results{{"device", device.str()},
                         {"precision", options.precision},
                         {"copy", peak.copy},
                         {"flops", peak.flops},
                         {"cases", nlohmann::json::array()}};
  for (const Case& c : cases) results["cases"].push_back(time_case(c, device, peak, seconds));
  if (!json_file.empty()) write_file_atomically(json_file, results.dump(1) + "\n");
  return 0;
}

}  // namespace
}  // namespace vae

int main(int argc, char** argv) {
  return vae::guarded_main([&] { return vae::run(argc, argv); });
}
