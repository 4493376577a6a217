#include "tools/ml_vae/options.h"

namespace vae::ml_vae {

using tool::at_least, tool::choice, tool::non_negative, tool::OptionTable, tool::positive;

namespace {
const std::vector<std::string> kPresets{"reference", "reference-std1", "attached", "paper"};
}

Options preset_options(const tool::Find& find) {
  const std::string preset = find("preset", "reference");
  tool::check_name("preset", preset, kPresets);
  Options o;
  o.preset = preset;
  o.run.run = "runs/ml_vae";
  o.run.epochs = 400;
  o.run.iters_per_epoch = 0;
  o.run.counts_passes = true;
  Config& model = o.settings.model;
  const bool paper = preset == "paper";
  if (preset == "reference-std1" || paper) model.noise_std = 1;
  if (preset == "attached" || paper) model.class_gradient = ClassGradient::attached;
  if (paper) model.class_kl_count = ClassKlCount::per_group;
  return o;
}

train::Inputs inputs_of(const Options&) { return train::Inputs::unit; }

MlVaeRecipe::Settings settings_of(const Options& o, const train::Data& data) {
  MlVaeRecipe::Settings s = o.settings;
  s.model.x_size = data.train.image_size();
  return s;
}

std::unique_ptr<train::Recipe> make_recipe(const Options& o, const train::Data& data, nn::Options of_model) {
  return std::make_unique<MlVaeRecipe>(settings_of(o, data), data, of_model);
}

namespace {

void describe_model(const OptionTable& t, Config& c) {
  t.add("hidden", c.hidden, "hidden units of encoder and decoder", at_least(1));
  t.add("style-dim", c.style_dim, "style variables, per image", at_least(1));
  t.add("class-dim", c.class_dim, "class variables, per group", at_least(1));
  t.add(
      "class-gradient", c.class_gradient, "whether losses reach the encoder through the class code",
      choice<ClassGradient>({{"detached", ClassGradient::detached}, {"attached", ClassGradient::attached}}));
  t.add("class-kl", c.class_kl_count, "how often a group's divergence counts",
        choice<ClassKlCount>(
            {{"per_member", ClassKlCount::per_member}, {"per_group", ClassKlCount::per_group}}));
  t.add("class-noise", c.class_noise, "draws of the class code",
        choice<ClassNoise>({{"per_group", ClassNoise::per_group}, {"per_image", ClassNoise::per_image}}));
  t.add("noise-std", c.noise_std, "deviation of the noise of the class code; 0: the mean", non_negative());
  t.add("divisor", c.divisor, "losses divided by images times pixels, or by the groups of the batch",
        choice<LossDivisor>({{"pixels", LossDivisor::pixels}, {"groups", LossDivisor::groups}}));
  t.add("reconstruction-coef", c.reconstruction_coef, "weight of the squared error", non_negative());
  t.add("kl-coef", c.kl_coef, "weight of both divergences", non_negative());
}

}  // namespace

void describe(const OptionTable& table, Options& o) {
  const auto moment =
      tool::number_that<double>([](double v) { return v >= 0 && v < 1; }, "number from 0 to below 1");
  table.add("preset", o.preset, "defaults: " + tool::listed(kPresets));
  describe(table, o.run);
  describe(table, o.images);
  const OptionTable t = table.group("ML-VAE");
  t.add("batch", o.settings.batch, "images per iteration", at_least(1));
  describe_model(t, o.settings.model);
  t.add("lr", o.settings.adam.learning_rate, "Adam's rate", positive());
  t.add("beta-1", o.settings.adam.rule.beta1, "Adam's first moment", moment);
  t.add("beta-2", o.settings.adam.rule.beta2, "Adam's second moment", moment);
  t.add("reshuffle", o.settings.reshuffle, "new batches in each pass; else those of the first are replayed");
}

tool::Tool<Options> ml_vae_tool() {
  return {"ml_vae",
          "The multi-level VAE of Bouchacourt et al. (2018).",
          preset_options,
          {import_weights(), swap(), classify(), tsne(), probe(), exporter::inspection<Options>(exported())},
          "train, then write pictures, probes and report"};
}

}  // namespace vae::ml_vae
