#pragma once
// Options of the tool sym_vae, and its inspections.
#include "models/sym_vae/recipe.h"
#include "tools/export/inspection.h"
#include "tools/fid/extractors.h"

namespace vae::sym_vae {

struct Options : tool::CommonOptions {
  SymVaeRecipe::Settings settings;

  int64_t images_made = 70000, chain_steps = 1000;    ///< generate-data, fid
  fid::FeatureOptions features{.name = "mnist-cnn"};  ///< fid
  std::string format = "png";                         ///< generate-data
  std::vector<std::filesystem::path> with;            ///< plot: further runs
  int64_t most_steps = 0;                             ///< plot
  std::filesystem::path load;                         ///< a run whose weights the training begins with
};

/// Defaults of a preset; throws Error(usage) for an unknown name.
Options preset_options(const tool::Find& find);

void describe(const tool::OptionTable& table, Options& options);

train::Inputs inputs_of(const Options& options);
std::unique_ptr<train::Recipe> make_recipe(const Options& options, const train::Data& data,
                                           nn::Options of_model);

/// Sets of originals, images of random codes and limiting images, as files.
tool::Inspection<Options> generate_data();

/// Distances of images of random codes, and of limiting ones, from the originals.
tool::Inspection<Options> fid();
/// Figures of losses and mutual information, of one run or several.
tool::Inspection<Options> plot();
/// The log in the reference's form.
tool::Inspection<Options> log();

/// What is written of a run for other programs.
exporter::Exported exported();

/// Presets and inspections.
tool::Tool<Options> sym_vae_tool();

}  // namespace vae::sym_vae
