#include "tools/shot_vae/smooth_options.h"

#include "tools/shot_vae/training.h"

namespace vae::shot_vae {

using tool::at_least, tool::choice, tool::non_negative, tool::OptionTable, tool::positive;

namespace {

const std::vector<std::string> kSmoothPresets{"mnist", "svhn"};

void describe(const OptionTable& t, Capacity& c, const std::string& what) {
  t.add("min", c.min, "nats of KL(q(" + what + "|x) || p) that training begins with", non_negative());
  t.add("max", c.max, "nats that it ends with", non_negative());
  t.add("updates", c.updates, "updates in which they rise", at_least(1));
  t.add("gamma", c.gamma, "what a nat of difference costs", non_negative());
}

}  // namespace

SmoothOptions smooth_preset(const tool::Find& find) {
  SmoothOptions o;
  o.preset = find("preset", "mnist");
  tool::check_name("preset", o.preset, kSmoothPresets);
  o.run.run = "runs/smooth_elbo";
  o.run.epochs = 300;
  o.run.iters_per_epoch = 0;
  o.run.counts_passes = true;
  o.images.resize = data::ImageSize{32, 32};
  if (o.preset == "svhn") {
    o.run.epochs = 500;
    o.images.of_auto = {"svhn", "synth-color"};
    o.split.labels = 1000;
    SmoothRecipe::Settings& s = o.settings;
    s.model = {.channels = 3, .conv = {32, 64, 128}, .deconv = {64, 32}, .hidden = 512, .z_size = 32};
    s.objective = {.z = {0, 50, 50000, 1}, .y = {0, 50, 50000, 1}, .alpha = 1500};
    s.batch_labeled = 512, s.batch = 256;
    s.adam.learning_rate = 1e-3;
    o.lr_patience = 10;
  }
  return o;
}

void describe(const OptionTable& table, SmoothOptions& o) {
  table.add("preset", o.preset, "defaults: " + tool::listed(kSmoothPresets));
  describe(table, o.run);
  describe(table, o.images);
  describe(table, o.split);
  const OptionTable t = table.group("Smooth-ELBO");
  SmoothRecipe::Settings& s = o.settings;
  t.add("batch", s.batch, "unlabelled images per update", at_least(1));
  t.add("batch-labeled", s.batch_labeled, "labelled images per update", at_least(1));
  t.add("order", s.order, "of the batches: that of the files, as published, or shuffled",
        choice<BatchOrder>({{"files", BatchOrder::files}, {"shuffled", BatchOrder::shuffled}}));
  t.add("lr", s.adam.learning_rate, "Adam's rate", positive());
  t.add("lr-patience", o.lr_patience,
        "epochs without a lower loss behind which the rate drops (default: it never does)",
        tool::or_none(at_least(0)));
  t.add("lr-factor", o.lr_factor, "that it is multiplied by then", tool::between(0.0, 1.0));
  t.add("alpha", s.objective.alpha, "weight of the classification of labelled images", non_negative());
  describe(t.prefixed("z-target-"), s.objective.z, "z");
  describe(t.prefixed("y-target-"), s.objective.y, "y");
  t.add("z", s.model.z_size, "latent variables", at_least(1));
  t.add("hidden", s.model.hidden, "units between maps and codes", at_least(1));
  t.add("conv", s.model.conv, "maps of the encoder, e.g. 32,64,64", tool::layers());
  t.add("deconv", s.model.deconv, "maps of the decoder before the image", tool::layers());
  t.add("temperature", s.model.temperature, "of the relaxed draw of y", positive());
}

train::Inputs inputs_of(const SmoothOptions&) { return train::Inputs::unit; }

SmoothRecipe::Settings settings_of(const SmoothOptions& o, const train::Data& data) {
  SmoothRecipe::Settings s = o.settings;
  s.model.side = data.train.pixels.size(1), s.model.channels = data.train.pixels.size(3);
  s.model.classes = data.classes;
  if (o.lr_patience) s.plateau = {.factor = o.lr_factor, .patience = *o.lr_patience};
  return s;
}

std::unique_ptr<train::Recipe> make_recipe(const SmoothOptions& o, const train::Data& data,
                                           nn::Options of_model) {
  return std::make_unique<SmoothRecipe>(settings_of(o, data), data, of_model);
}

void check_training(const SmoothOptions&, const train::Data& data) {
  tool::check_some("batch", data.split.unlabeled.numel());
}

tool::Tool<SmoothOptions> smooth_tool() {
  return {"smooth_elbo",
          "A small VAE with a class, by the smooth-ELBO, Feng et al. (2021).",
          smooth_preset,
          {tool::report_inspection<SmoothOptions>("accuracy of a trained run"),
           tool::pictures_inspection<SmoothOptions>("sample"), import_smooth(),
           exporter::inspection<SmoothOptions>(exported_smooth())}};
}

}  // namespace vae::shot_vae
