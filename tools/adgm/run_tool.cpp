// Command lines of adgm and vae.
#include "tools/adgm/experiment.h"
#include "tools/common/cli.h"
#include "tools/common/config_file.h"
#include "tools/common/seeds.h"

namespace vae::adgm_tools {
namespace {

int run_training(Options& options, Tool tool, const CLI::App& command) {
  nlohmann::ordered_json config = resolved_config(command);
  config["data"] = options.images.dataset = resolve_dataset(options.images);
  if (options.run.benchmark > 0) {
    Experiment(tool, options).benchmark();
    return 0;
  }
  return train_seeds(options.run, config, tool == Tool::adgm ? "test_accuracy" : "test_loss",
                     [&](const RunOptions& run, const nlohmann::ordered_json& of_run) -> Outcome {
                       Options one = options;
                       one.run = run;
                       Experiment experiment(tool, one);
                       const int code = experiment.train(of_run);
                       return {code, code == 0 ? experiment.test_result() : 0};
                     });
}

CLI::App* add_inspection(CLI::App& app, const Arguments& arguments, Tool tool, Options& options,
                         const char* name, const char* text) {
  CLI::App* command = app.add_subcommand(name, text);
  add_train_options(*command, tool, options);
  if (asks_for_help(arguments)) hide_stored_options(*command, {"--predict-draws"});
  return command;
}

}  // namespace

int run_tool(int argc, char** argv, Tool tool, const std::string& name, const std::string& description) {
  const bool semi = tool == Tool::adgm;
  const std::string model = semi ? "adgm" : "vae";
  const Arguments arguments = expand_config(argc, argv, {"test", "sample", "interpolate"},
                                            preset_options(tool, model, "notebook").run.run);
  Options options = preset_options(tool, find_option(arguments.all, "model", model),
                                   find_option(arguments.all, "preset", "notebook"));
  CLI::App app(description, name);
  app.require_subcommand(1);
  app.footer(kExitCodes);
  CLI::App* train = app.add_subcommand("train", "train, then write pictures and report");
  add_train_options(*train, tool, options);
  CLI::App* test = add_inspection(app, arguments, tool, options, "test",
                                  "accuracy, likelihood and active units of a trained run");
  test->add_option("--nll", options.nll, "importance samples of an estimate of -log p(x); 0: none")
      ->check(count(0));
  CLI::App* sample = add_inspection(app, arguments, tool, options, "sample", "pictures of a trained run");
  if (semi)
    sample->add_option("--digit", options.digit, "the class to sample; default: all")->check(count(0));
  else
    sample->add_option("--span", options.span, "how far traversals go")->check(positive());
  CLI::App* interpolate =
      semi ? nullptr
           : add_inspection(app, arguments, tool, options, "interpolate", "between pairs of test images");
  if (!parse_arguments(app, arguments)) return 0;
  if (*train) return run_training(options, tool, *train);
  Experiment experiment(tool, options);
  experiment.load();
  if (*test) experiment.test();
  if (*sample) experiment.sample();
  if (interpolate && *interpolate) experiment.interpolate();
  return 0;
}

}  // namespace vae::adgm_tools
