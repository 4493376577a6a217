#include "tools/common/seeds.h"

#include <set>

#include "nn/report/statistics.h"
#include "tensor/file.h"
#include "tools/common/cli.h"

namespace vae {
namespace {

std::vector<uint64_t> distinct_seeds(const std::string& text) {
  const std::vector<uint64_t> seeds = parse_numbers(text, "seeds");
  if (std::set(seeds.begin(), seeds.end()).size() != seeds.size())
    fail(ErrorKind::usage, "--seeds: '{}' names a seed twice", text);
  return seeds;
}

}  // namespace

int train_seeds(const RunOptions& options, const nlohmann::ordered_json& config, const std::string& name,
                const TrainOne& train_one) {
  if (options.seeds.empty()) return train_one(options, config).code;
  const std::vector<uint64_t> seeds = distinct_seeds(options.seeds);
  std::vector<double> values;
  for (const uint64_t seed : seeds) {
    fmt::print("seed {}\n", seed);
    RunOptions run = options;
    run.seed = seed;
    run.run = options.run / fmt::format("seed_{}", seed);
    run.resume = options.resume && std::filesystem::exists(run.run / "config.json");
    nlohmann::ordered_json of_run = config;
    of_run.erase("seeds");
    of_run["seed"] = seed;
    const Outcome outcome = train_one(run, of_run);
    if (outcome.code != 0) return outcome.code;
    values.push_back(outcome.result);
  }
  const report::MeanStd summary = report::mean_std(values);
  fmt::print("{} over seeds {}: {}\n", name, options.seeds, summary.str());
  const nlohmann::ordered_json results{
      {"seeds", seeds}, {name, values}, {"mean", summary.mean}, {"std", summary.std}};
  write_file_atomically(options.run / "seeds.json", results.dump(2) + "\n");
  return 0;
}

}  // namespace vae
