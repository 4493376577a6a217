#pragma once
// Options of the tool smooth_elbo.
#include "models/shot_vae/smooth_recipe.h"
#include "tools/export/inspection.h"

namespace vae::shot_vae {

struct SmoothOptions : tool::CommonOptions {
  tool::SplitOptions split{.labels = 100, .validation = 0, .rule = data::SplitRule::smooth_elbo};
  SmoothRecipe::Settings settings;
  std::optional<int64_t> lr_patience;  ///< of the plateau of the rate; none: it has none
  double lr_factor = 0.1;
};

/// Defaults of a preset; throws Error(usage) for an unknown name.
SmoothOptions smooth_preset(const tool::Find& find);

void describe(const tool::OptionTable& table, SmoothOptions& options);

/// What the recipe of a run on these data is made with.
SmoothRecipe::Settings settings_of(const SmoothOptions& options, const train::Data& data);

train::Inputs inputs_of(const SmoothOptions& options);
std::unique_ptr<train::Recipe> make_recipe(const SmoothOptions& options, const train::Data& data,
                                           nn::Options of_model);
void check_training(const SmoothOptions& options, const train::Data& data);

/// Makes a run of weights that the published program trained.
tool::Inspection<SmoothOptions> import_smooth();

/// What is written of a run for other programs.
exporter::Exported exported_smooth();

/// Presets and inspections.
tool::Tool<SmoothOptions> smooth_tool();

}  // namespace vae::shot_vae
