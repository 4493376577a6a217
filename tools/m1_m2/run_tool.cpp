// Command lines of m1, m2 and m1_m2.
#include "tools/common/cli.h"
#include "tools/common/config_file.h"
#include "tools/common/seeds.h"
#include "tools/m1_m2/experiment.h"

namespace vae {
namespace {

template <class Experiment>
Outcome train(Experiment experiment, const nlohmann::ordered_json& config) {
  const int code = experiment.train(config);
  return {code, code == 0 ? experiment.test_result() : 0};
}

Outcome train_one(const Options& options, Tool tool, const nlohmann::ordered_json& config) {
  if (tool == Tool::m1) return train(M1Experiment(options), config);
  return train(M2Experiment(options, tool), config);
}

int run_training(Options& options, Tool tool, const CLI::App& command) {
  nlohmann::ordered_json config = resolved_config(command);
  config["data"] = options.images.dataset = resolve_dataset(options.images);
  if (options.run.benchmark > 0) {
    tool == Tool::m1 ? M1Experiment(options).benchmark() : M2Experiment(options, tool).benchmark();
    return 0;
  }
  return train_seeds(options.run, config, tool == Tool::m1 ? "test_loss" : "test_accuracy",
                     [&](const RunOptions& run, const nlohmann::ordered_json& of_run) {
                       Options one = options;
                       one.run = run;
                       return train_one(one, tool, of_run);
                     });
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
  const Arguments arguments = expand_config(argc, argv, finished, preset_options(tool, "seed").run.run);
  Options options = preset_options(tool, find_option(arguments.all, "preset", "seed"));
  CLI::App app(description, name);
  app.require_subcommand(1);
  app.footer(kExitCodes);
  CLI::App* train = app.add_subcommand("train", "train, then write pictures and report");
  add_train_options(*train, tool, options);
  for (const std::string& what : finished) {
    CLI::App* command = app.add_subcommand(what, what == "test" ? "accuracy and likelihood of a trained run"
                                                 : what == "visualize" ? "pictures of a trained run"
                                                                       : "analogies of a trained run");
    add_train_options(*command, tool, options);
    if (asks_for_help(arguments)) hide_stored_options(*command);
    if (what == "test" && tool != Tool::m1_m2)
      command->add_option("--nll", options.nll, "importance samples of an estimate of -log p(x); 0: none")
          ->check(count(0));
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
