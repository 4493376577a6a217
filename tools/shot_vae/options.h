#pragma once
// Options of the tools shot_vae and shot_m2.
#include "models/shot_vae/recipe.h"
#include "tools/shot_vae/training.h"

namespace vae::shot_vae {

struct Options : TrainingOptions {
  ShotRecipe::Settings settings;  ///< but for what TrainingOptions have
};

/// Defaults of a preset; throws Error(usage) for an unknown name.
Options preset_options(Method method, const tool::Find& find);

void describe(const tool::OptionTable& table, Options& options);

/// What the recipe of a run on these data is made with.
ShotRecipe::Settings settings_of(const Options& options, const train::Data& data);

train::Inputs inputs_of(const Options& options);
std::unique_ptr<train::Recipe> make_recipe(const Options& options, const train::Data& data,
                                           nn::Options of_model);
void check_training(const Options& options, const train::Data& data);

/// Makes a run of weights that the published program trained.
tool::Inspection<Options> import_shot();

/// What is written of a run for other programs.
exporter::Exported exported_shot();

/// Presets and inspections.
tool::Tool<Options> shot_tool(Method method);

}  // namespace vae::shot_vae
