#pragma once
// Options of the tool shot_classifier.
#include "models/shot_vae/classifier_recipe.h"
#include "tools/shot_vae/training.h"

namespace vae::shot_vae {

struct ClassifierOptions : TrainingOptions {
  ClassifierRecipe::Settings settings;  ///< but for what TrainingOptions have
};

/// Defaults of a preset; throws Error(usage) for an unknown name.
ClassifierOptions classifier_preset(const tool::Find& find);

void describe(const tool::OptionTable& table, ClassifierOptions& options);

/// What the recipe of a run on these data is made with.
ClassifierRecipe::Settings settings_of(const ClassifierOptions& options, const train::Data& data);

train::Inputs inputs_of(const ClassifierOptions& options);
std::unique_ptr<train::Recipe> make_recipe(const ClassifierOptions& options, const train::Data& data,
                                           nn::Options of_model);
void check_training(const ClassifierOptions& options, const train::Data& data);

/// Makes a run of weights that the published program trained.
tool::Inspection<ClassifierOptions> import_classifier();

/// What is written of a run for other programs.
exporter::Exported exported_classifier();

/// Presets and inspections.
tool::Tool<ClassifierOptions> classifier_tool();

}  // namespace vae::shot_vae
