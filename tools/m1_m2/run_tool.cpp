// Command lines of m1, m2 and m1_m2.
#include "nn/report/statistics.h"
#include "tensor/file.h"
#include "tools/cli.h"
#include "tools/config_file.h"
#include "tools/m1_m2/experiment.h"

namespace vae {
namespace {

int train_one(Options& options, Tool tool, const nlohmann::ordered_json& config,
              std::vector<double>& accuracies) {
  if (tool == Tool::m1) {
    M1Experiment experiment(options);
    if (options.run.benchmark == 0) return experiment.train(config);
    experiment.benchmark();
    return 0;
  }
  M2Experiment experiment(options, tool);
  if (options.run.benchmark > 0) {
    experiment.benchmark();
    return 0;
  }
  const int code = experiment.train(config);
  accuracies.push_back(experiment.test_accuracy());
  return code;
}

/// One run per seed in sub-directories, then mean and spread of the test accuracy.
int train_seeds(Options options, Tool tool, nlohmann::ordered_json config) {
  const std::filesystem::path base = options.run.run;
  const std::vector<uint64_t> seeds = parse_numbers(options.run.seeds, "seeds");
  std::vector<double> accuracies;
  for (const uint64_t seed : seeds) {
    fmt::print("seed {}\n", seed);
    options.run.seed = seed;
    options.run.run = base / fmt::format("seed_{}", seed);
    config["seed"] = seed;
    config.erase("seeds");
    if (const int code = train_one(options, tool, config, accuracies); code != 0) return code;
  }
  if (accuracies.empty()) return 0;
  const report::MeanStd summary = report::mean_std(accuracies);
  fmt::print("test accuracy over seeds {}: {}\n", options.run.seeds, summary.str());
  const nlohmann::ordered_json results{
      {"seeds", seeds}, {"test_accuracy", accuracies}, {"mean", summary.mean}, {"std", summary.std}};
  write_file_atomically(base / "seeds.json", results.dump(2) + "\n");
  return 0;
}

int run_training(Options& options, Tool tool, const CLI::App& command) {
  nlohmann::ordered_json config = resolved_config(command);
  config["data"] = options.dataset = resolve_dataset(options);
  if (!options.run.seeds.empty()) return train_seeds(options, tool, config);
  std::vector<double> accuracies;
  return train_one(options, tool, config, accuracies);
}

/// test, visualize or analogy of a finished run.
template <class Experiment>
int inspect(Experiment& experiment, const std::string& what) {
  experiment.load();
  if (what == "test") experiment.test();
  if (what == "visualize") experiment.visualize();
  if constexpr (requires { experiment.analogy(); })
    if (what == "analogy") experiment.analogy();
  return 0;
}

}  // namespace

int run_tool(int argc, char** argv, Tool tool, const std::string& name, const std::string& description) {
  const std::vector<std::string> finished = tool == Tool::m1
                                                ? std::vector<std::string>{"test", "visualize"}
                                                : std::vector<std::string>{"test", "visualize", "analogy"};
  const std::vector<std::string> arguments = expand_config(argc, argv, finished);
  Options options = preset_options(tool, find_option(arguments, "preset", "seed"));
  CLI::App app(description, name);
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 done, 1 internal error, 2 bad option, 3 bad data, 4 file system, 5 not a number, 6 "
      "device, "
      "130 interrupted.");
  CLI::App* train = app.add_subcommand("train", "train, then write pictures and report");
  add_train_options(*train, tool, options);
  for (const std::string& what : finished) {
    CLI::App* command = app.add_subcommand(what, what == "test" ? "accuracy and likelihood of a trained run"
                                                 : what == "visualize" ? "pictures of a trained run"
                                                                       : "analogies of a trained run");
    add_train_options(*command, tool, options);
    command->get_option("--run")->required();
    if (what == "test" && tool != Tool::m1_m2)
      command->add_option("--nll", options.nll, "importance samples of an estimate of -log p(x); 0: none")
          ->check(CLI::NonNegativeNumber);
    if (what == "analogy" && tool == Tool::m1_m2)
      command->add_flag("--means", options.means, "decode the means of the features, not samples");
  }
  if (!parse_arguments(app, arguments)) return 0;
  if (*train) return run_training(options, tool, *train);
  const std::string what = app.get_subcommands().front()->get_name();
  if (tool == Tool::m1) {
    M1Experiment experiment(options);
    return inspect(experiment, what);
  }
  M2Experiment experiment(options, tool);
  return inspect(experiment, what);
}

}  // namespace vae
