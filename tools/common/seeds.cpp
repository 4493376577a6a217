#include "tools/common/seeds.h"

#include <set>

#include "nn/report/statistics.h"
#include "tensor/file.h"

namespace vae::tool {

void train_seeds(const RunOptions& options,
                 const std::function<train::Scalar(const RunOptions&)>& train_one) {
  const std::vector<uint64_t>& seeds = options.seeds;
  if (seeds.empty()) {
    train_one(options);
    return;
  }
  const std::string list = fmt::format("{}", fmt::join(seeds, ","));
  if (std::set(seeds.begin(), seeds.end()).size() != seeds.size())
    fail(ErrorKind::usage, "--seeds: '{}' names a seed twice", list);
  std::vector<double> values;
  std::string name;
  for (const uint64_t seed : seeds) {
    fmt::print("seed {}\n", seed);
    RunOptions run = options.below(fmt::format("seed_{}", seed));
    run.seed = seed;
    const train::Scalar score = train_one(run);
    values.push_back(score.value);
    name = score.name;
  }
  const report::MeanStd summary = report::mean_std(values);
  fmt::print("{} over seeds {}: {}\n", name, list, summary.str());
  const nlohmann::ordered_json results{
      {"seeds", seeds}, {name, values}, {"mean", summary.mean}, {"std", summary.std}};
  write_file_atomically(options.run / "seeds.json", results.dump(2) + "\n");
}

}  // namespace vae::tool
