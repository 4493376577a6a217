#include "tools/common/seeds.h"

#include <cmath>
#include <set>

#include "nn/report/statistics.h"
#include "tensor/file.h"
#include "tensor/print.h"

namespace vae::tool {

namespace {

void check_resumed(const train::RunDirectory& directory, const OptionTable& table) {
  const nlohmann::json stored = directory.read_config();
  if (!stored.contains("seeds"))
    fail(ErrorKind::usage, "--seeds: {} is a run of one seed", directory.path().string());
  table.check_resumed(stored);
}

/// The score of one seed; none if it diverged, or its report has no score.
std::optional<train::Scalar> train_seed(const RunOptions& options, uint64_t seed,
                                        const std::function<train::Scalar(const RunOptions&)>& train_one) {
  say("seed {}\n", seed);
  const std::string folder = fmt::format("seed_{}", seed);
  parallel::current().on_first([&] { train::claim_folder(options.run, folder); });
  RunOptions run = options.below(folder);
  run.seed = seed;
  try {
    const train::Scalar score = train_one(run);
    if (std::isfinite(score.value)) return score;
    note("seed {}: its score is missing\n", seed);
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::numeric) throw;
    note("seed {} diverged: {}\n", seed, e.what());
  }
  return {};
}

}  // namespace

void train_seeds(const RunOptions& options, const OptionTable& table,
                 const std::function<train::Scalar(const RunOptions&)>& train_one) {
  if (options.seeds.empty()) {
    train_one(options);
    return;
  }
  if (std::set(options.seeds.begin(), options.seeds.end()).size() != options.seeds.size())
    fail(ErrorKind::usage, "--seeds: '{}' names a seed twice", fmt::join(options.seeds, ","));
  const train::RunDirectory directory = options.directory();
  if (directory.resumed()) check_resumed(directory, table);
  directory.write_config(table.config());
  std::vector<double> values;
  std::vector<uint64_t> scored, failed;
  std::string name;
  for (const uint64_t seed : options.seeds) {
    const std::optional<train::Scalar> score = train_seed(options, seed, train_one);
    (score ? scored : failed).push_back(seed);
    if (!score) continue;
    values.push_back(score->value);
    name = score->name;
  }
  nlohmann::ordered_json results{{"seeds", scored}};
  if (!scored.empty()) {
    const report::MeanStd summary = report::mean_std(values);
    say("{} over seeds {}: {}\n", name, fmt::join(scored, ","), summary.str());
    results.update({{name, values}, {"mean", summary.mean}, {"std", summary.std}});
  }
  if (!failed.empty()) results["failed"] = failed;
  parallel::current().on_first(
      [&] { write_file_atomically(directory.claim("seeds.json"), results.dump(2) + "\n"); });
  if (!failed.empty())
    fail(ErrorKind::numeric, "{} of {} seeds diverged or have no score: {}", failed.size(),
         options.seeds.size(), fmt::join(failed, ","));
}

}  // namespace vae::tool
