#pragma once
// Options of the tools adgm (models with labels) and vae (models without).
#include "models/adgm/recipe.h"
#include "tools/export/inspection.h"

namespace vae::adgm {

enum class Tool { adgm, vae };

/// The weight of the classification loss: `value`, or a multiple of (unlabelled + labelled batches) per
/// labelled one, of unlabelled batches per labelled one, or of images per labelled image.
struct Alpha {
  enum class Rule { given, batches, unlabeled_batches, examples } rule = Rule::batches;
  double value = 0;
};

/// A value that is multiplied by `factor` after every `every` epochs, but not below `floor`.
struct StepDecay {
  double factor = 1, floor = 0;
  int64_t every = 0;
};

struct Options : tool::CommonOptions {
  std::string model;
  tool::SplitOptions split{.validation = 0, .file = {}};  ///< of models with labels
  Settings settings;                                      ///< the kind of its model is that of `model`
  double beta = 1;
  int64_t warmup = 0;
  Alpha alpha;
  double alpha_scale = 0.1, learning_rate = 3e-4, tau = 1, tau_factor = 1;
  StepDecay decay;
  nn::Clip clip;
  bool adagrad = false, weight_prior = false;

  std::filesystem::path features_run;  ///< of the stacked model: a finished run of the tool vae
  int64_t features_epochs = 10;

  std::optional<int64_t> digit;  ///< none: all
  double span = 3;

  Config& config() { return settings.model; }
  const Config& config() const { return settings.model; }
  bool semi() const { return has_labels(config().kind); }
  Tool tool() const { return semi() ? Tool::adgm : Tool::vae; }
};

std::vector<std::string> model_names(Tool tool);
std::vector<std::string> preset_names(Tool tool);

/// Defaults of a preset for a model; throws Error(usage) for unknown names.
Options preset_options(Tool tool, const tool::Find& find);

void describe(const tool::OptionTable& table, Options& options);

/// What the recipe of a run on these data is made with.
Settings settings_of(const Options& options, const train::Data& data);

train::Inputs inputs_of(const Options& options);
std::unique_ptr<train::Recipe> make_recipe(const Options& options, const train::Data& data,
                                           nn::Options of_model);
std::optional<tool::Stage> stage_of(const Options& options);
void check_training(const Options& options, const train::Data& data);

/// What is written of a run for other programs.
exporter::Exported exported();

/// Presets and inspections.
tool::Tool<Options> adgm_tool();
tool::Tool<Options> vae_tool();

}  // namespace vae::adgm
