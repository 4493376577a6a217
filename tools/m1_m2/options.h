#pragma once
// Options of the tools m1, m2 and m1_m2.
#include "models/m1_m2/recipe.h"
#include "tools/export/inspection.h"

namespace vae::m1_m2 {

/// A learning rate over the iterations.
struct RateOptions {
  kernels::Decay decay = kernels::Decay::constant;
  std::optional<int64_t> epochs{};  ///< in which it falls; none: those of the run
  int64_t warmup = 0;
};

struct M1Options : tool::CommonOptions {
  M1Recipe::Settings settings;
  RateOptions rate;
};

struct M2Options : tool::CommonOptions {
  tool::SplitOptions split;
  M2Recipe::Settings settings;
  RateOptions rate;
  bool weights_count = false;      ///< the bounds are weighted by the sizes of their sets, not as batch means
  std::optional<M1Options> m1{};   ///< below M2 in the tool m1_m2: a run of its own, trained first, ...
  std::filesystem::path m1_run{};  ///< ... or a finished one
  bool means = false;
};

/// Defaults of a preset; throw Error(usage) for an unknown name.
M1Options m1_preset(const tool::Find& find);
M2Options m2_preset(const tool::Find& find);
M2Options m1_m2_preset(const tool::Find& find);

void describe(const tool::OptionTable& table, M1Options& options);
void describe(const tool::OptionTable& table, M2Options& options);

/// What the recipe of a run on these data is made with.
M1Recipe::Settings settings_of(const M1Options& options, const train::Data& data);
M2Recipe::Settings settings_of(const M2Options& options, const train::Data& data);

train::Inputs inputs_of(const M1Options& options);
train::Inputs inputs_of(const M2Options& options);
std::unique_ptr<train::Recipe> make_recipe(const M1Options& options, const train::Data& data,
                                           nn::Options of_model);
std::unique_ptr<train::Recipe> make_recipe(const M2Options& options, const train::Data& data,
                                           nn::Options of_model);
std::optional<tool::Stage> stage_of(const M2Options& options);
void check_training(const M1Options& options, const train::Data& data);
void check_training(const M2Options& options, const train::Data& data);

/// What is written of a run for other programs.
exporter::Exported exported_m1();
exporter::Exported exported_m2();

/// Presets and inspections.
tool::Tool<M1Options> m1_tool();
tool::Tool<M2Options> m2_tool();
tool::Tool<M2Options> m1_m2_tool();

}  // namespace vae::m1_m2
