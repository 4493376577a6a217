// Options of ml_vae: what they set, number by number, and what the presets are.
#include "tests/tools/settings.h"
#include "tools/ml_vae/options.h"

namespace vae::ml_vae {
namespace {

using test::expect_config, test::Row, test::with;

test::Settings all_of(const Options& o) {
  test::Settings s;
  const auto& [model, batch, reshuffle, adam] = settings_of(o, test::small_data());
  const auto& [x_size, hidden, style_dim, class_dim, class_gradient, class_kl_count, class_noise, divisor,
               noise_std, reconstruction_coef, kl_coef] = model;
  s.add("model.x_size", x_size);
  s.add("model.hidden", hidden);
  s.add("model.style_dim", style_dim);
  s.add("model.class_dim", class_dim);
  s.add("model.class_gradient", class_gradient);
  s.add("model.class_kl_count", class_kl_count);
  s.add("model.class_noise", class_noise);
  s.add("model.divisor", divisor);
  s.add("model.noise_std", noise_std);
  s.add("model.reconstruction_coef", reconstruction_coef);
  s.add("model.kl_coef", kl_coef);
  s.add("batch", batch);
  s.add("reshuffle", reshuffle);
  add_adam(s, adam);
  add_run(s, o, inputs_of(o));
  return s;
}

TEST(Options, OfMlVae) {
  std::vector<Row> rows = test::common_rows();
  const std::vector<Row> own{
      {"preset", "paper", {{"preset", "paper"}}},
      {"scaling", "binary", {{"data.inputs", train::Inputs::binary}}},
      {"batch", "17", {{"batch", 17}}},
      {"hidden", "8", {{"model.hidden", 8}}},
      {"style-dim", "3", {{"model.style_dim", 3}}},
      {"class-dim", "4", {{"model.class_dim", 4}}},
      {"class-gradient", "attached", {{"model.class_gradient", ClassGradient::attached}}},
      {"class-kl", "per_group", {{"model.class_kl_count", ClassKlCount::per_group}}},
      {"class-noise", "per_image", {{"model.class_noise", ClassNoise::per_image}}},
      {"noise-std", "0.5", {{"model.noise_std", 0.5}}},
      {"divisor", "groups", {{"model.divisor", LossDivisor::groups}}},
      {"reconstruction-coef", "2", {{"model.reconstruction_coef", 2}}},
      {"kl-coef", "0.5", {{"model.kl_coef", 0.5}}},
      {"lr", "0.01", {{"adam.learning_rate", 0.01}}},
      {"beta-1", "0.5", {{"adam.beta1", 0.5}}},
      {"beta-2", "0.25", {{"adam.beta2", 0.25}}},
      {"reshuffle", "true", {{"reshuffle", true}}}};
  rows.insert(rows.end(), own.begin(), own.end());
  test::check_options<Options>([] { return preset_options(test::choices()); }, all_of, rows);
}

const nlohmann::json kReference = nlohmann::json::parse(R"({"preset": "reference", "seed": 1, "epochs": 400,
  "iters-per-epoch": 0, "log-every": 0, "checkpoint-every": 0, "bn": "global", "grad-reduce": "f32", "comm-timeout": 30, "device": "cpu", "threads": 0, "precision": "fp32",
  "graph": "auto", "data": "auto", "classes": 10, "label-offset": 0, "synth-train": 60000, "synth-test": 10000, "synth-seed": 1,
  "scaling": "auto", "batch": 256, "hidden": 500, "style-dim": 10, "class-dim": 10, "class-gradient": "detached",
  "class-kl": "per_member", "class-noise": "per_group", "noise-std": 0.1, "divisor": "pixels", "reconstruction-coef": 1,
  "kl-coef": 1, "lr": 1e-3, "beta-1": 0.9, "beta-2": 0.999, "reshuffle": false})");

TEST(Presets, OfMlVae) {
  for (const auto& [name, patch] :
       {std::pair{"reference", R"({})"},
        {"reference-std1", R"({"preset": "reference-std1", "noise-std": 1})"},
        {"attached", R"({"preset": "attached", "class-gradient": "attached"})"},
        {"paper", R"({"preset": "paper", "class-gradient": "attached", "class-kl": "per_group",
                                      "noise-std": 1})"}}) {
    Options o = preset_options(test::choices({{"preset", name}}));
    expect_config(tool::described(o).config(), with(kReference, patch));
    EXPECT_EQ(o.run.run, "runs/ml_vae");
  }
}

TEST(Presets, WhatNoOptionOfMlVaeSets) {
  const auto values = all_of(preset_options(test::choices())).values();
  EXPECT_EQ(values.at("model.x_size"), "6");
  EXPECT_EQ(values.at("adam.eps"), "1e-08");
  EXPECT_EQ(values.at("adam.weight_decay"), "0");
  EXPECT_EQ(values.at("adam.form"), test::Value(kernels::AdamForm::torch).text);
  EXPECT_EQ(values.at("clip.norm"), "0");
  EXPECT_EQ(values.at("clip.element"), "0");
  EXPECT_EQ(values.at("data.inputs"), test::Value(train::Inputs::unit).text);
}

}  // namespace
}  // namespace vae::ml_vae
