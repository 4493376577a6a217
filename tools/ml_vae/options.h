#pragma once
// Options of the tool ml_vae, and its inspections.
#include "models/ml_vae/classifier.h"
#include "models/ml_vae/recipe.h"
#include "nn/eval/tsne.h"
#include "tools/export/inspection.h"

namespace vae::ml_vae {

struct Options : tool::CommonOptions {
  MlVaeRecipe::Settings settings;

  References references = References::automatic;  ///< swap
  int64_t evidence_images = kEvidenceImages;      ///< swap
  int64_t iterations = 100000;                    ///< classify
  ClassifierRecipe::Settings classifier;          ///< classify
  Probes probes;                                  ///< probe
  eval::TsneOptions tsne;                         ///< tsne
  TsneInput tsne_input;                           ///< tsne
};

/// Defaults of a preset; throws Error(usage) for an unknown name.
Options preset_options(const tool::Find& find);

void describe(const tool::OptionTable& table, Options& options);

/// What the recipe of a run on these data is made with.
MlVaeRecipe::Settings settings_of(const Options& options, const train::Data& data);

train::Inputs inputs_of(const Options& options);
std::unique_ptr<train::Recipe> make_recipe(const Options& options, const train::Data& data,
                                           nn::Options of_model);

/// What is written of a run for other programs.
exporter::Exported exported();

/// Presets and inspections.
tool::Tool<Options> ml_vae_tool();

/// Makes a run of the reference's parameters: checkpoint, pictures and probes. Training can resume it.
tool::Inspection<Options> import_weights();
/// Grids of the style of each of ten digits under the class code of each.
tool::Inspection<Options> swap();
/// Trains the latent classifiers in the run's sub-directory `classifier` and prints the table.
tool::Inspection<Options> classify();
/// The test images' codes, or the images, in the plane.
tool::Inspection<Options> tsne();
/// Losses, reconstruction errors and accuracies of closed-form probes.
tool::Inspection<Options> probe();

}  // namespace vae::ml_vae
