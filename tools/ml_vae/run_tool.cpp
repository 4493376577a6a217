// Command line of ml_vae.
#include "tools/common/cli.h"
#include "tools/common/config_file.h"
#include "tools/common/seeds.h"
#include "tools/ml_vae/experiment.h"

namespace vae {
namespace {

const std::vector<std::pair<std::string, std::string>> kInspections{
    {"swap", "grids of styles under the class codes of other digits"},
    {"classify", "the latent classifiers of the published table"},
    {"tsne", "codes of the test images in the plane"},
    {"probe", "losses, reconstruction errors and closed-form probes of a trained run"}};

int run_training(MlVaeOptions& options, const CLI::App& command) {
  nlohmann::ordered_json config = resolved_config(command);
  config["data"] = options.images.dataset = resolve_dataset(options.images);
  if (options.run.benchmark > 0) {
    MlVaeExperiment(options).benchmark();
    return 0;
  }
  return train_seeds(options.run, config, "test_mse_single",
                     [&](const RunOptions& run, const nlohmann::ordered_json& of_run) {
                       MlVaeOptions one = options;
                       one.run = run;
                       MlVaeExperiment experiment(one);
                       const int code = experiment.train(of_run);
                       return Outcome{code, experiment.test_result()};
                     });
}

int run_import(MlVaeOptions& options, const CLI::App& command) {
  nlohmann::ordered_json config = resolved_config(command);
  config.erase("weights");
  config["data"] = options.images.dataset = resolve_dataset(options.images);
  read_sizes(options.weights, options, config);
  MlVaeExperiment(options).import(config);
  return 0;
}

int inspect(const MlVaeOptions& options, const std::string& what, const CLI::App& command) {
  MlVaeExperiment experiment(options);
  experiment.load();
  if (what == "swap") experiment.swap();
  if (what == "tsne") experiment.tsne();
  if (what == "probe") experiment.probe();
  return what == "classify" ? experiment.classify(resolved_config(command)) : 0;
}

}  // namespace

int run_ml_vae(int argc, char** argv) {
  std::vector<std::string> names;
  for (const auto& [name, text] : kInspections) names.push_back(name);
  const Arguments arguments = expand_config(argc, argv, names, ml_vae_preset("reference").run.run);
  MlVaeOptions options = ml_vae_preset(find_option(arguments.all, "preset", "reference"));
  CLI::App app("The multi-level VAE of Bouchacourt et al. (2018).", "ml_vae");
  app.require_subcommand(1);
  app.footer(kExitCodes);
  CLI::App* train = app.add_subcommand("train", "train, then write pictures, probes and report");
  add_ml_vae_options(*train, options);
  CLI::App* import = app.add_subcommand("import", "make a run of the reference's parameters");
  add_ml_vae_options(*import, options);
  add_inspection_options(*import, "import", options);
  for (const auto& [name, text] : kInspections) {
    CLI::App* command = app.add_subcommand(name, text);
    add_ml_vae_options(*command, options);
    if (asks_for_help(arguments)) hide_stored_options(*command);
    add_inspection_options(*command, name, options);
  }
  if (!parse_arguments(app, arguments)) return 0;
  const CLI::App* command = app.get_subcommands().front();
  if (*train) return run_training(options, *command);
  if (*import) return run_import(options, *command);
  return inspect(options, command->get_name(), *command);
}

}  // namespace vae
