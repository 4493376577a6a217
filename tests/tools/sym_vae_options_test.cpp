// Options of sym_vae: what they set, number by number, and what the presets are.
#include "tests/tools/settings.h"
#include "tools/sym_vae/options.h"

namespace vae::sym_vae {
namespace {

using test::expect_config, test::Row, test::with;

test::Settings all_of(const Options& o) {
  test::Settings s;
  const auto& [model, learning, trained_on, batch, flipped, noise, chains, chain_steps, adam] = o.settings;
  const auto& [encoder, likelihood, nz0, nz1, width, encoder_units, prior_units, code_units,
               decoder_activation] = model;
  s.add("model.encoder", encoder);
  s.add("model.likelihood", likelihood);
  s.add("model.nz0", nz0);
  s.add("model.nz1", nz1);
  s.add("model.width", width);
  s.add("model.encoder_units", encoder_units);
  s.add("model.prior_units", prior_units);
  s.add("model.code_units", code_units);
  s.add("model.decoder_activation", decoder_activation);
  s.add("learning", learning);
  s.add("trained_on", trained_on);
  s.add("batch", batch);
  s.add("flipped", flipped);
  s.add("noise", noise);
  s.add("chains", chains);
  s.add("chain_steps", chain_steps);
  s.add("load", o.load.string());
  add_adam(s, adam);
  add_run(s, o, inputs_of(o));
  return s;
}

TEST(Options, OfSymVae) {
  std::vector<Row> rows = test::common_rows();
  const std::vector<Row> own{
      {"preset", "mnist-reverse", {{"preset", "mnist-reverse"}}},
      {"scaling", "unit", {{"data.inputs", train::Inputs::unit}}},
      {"learn", "elbo", {{"learning", Learning::elbo}}},
      {"encoder", "reverse", {{"model.encoder", EncoderKind::reverse}}},
      {"likelihood",
       "gaussian",
       {{"model.likelihood", nn::LikelihoodKind::gaussian}, {"data.inputs", train::Inputs::unit}}},
      {"nz0", "3", {{"model.nz0", 3}}},
      {"nz1", "5", {{"model.nz1", 5}}},
      {"width", "4", {{"model.width", 4}}},
      {"encoder-units", "7", {{"model.encoder_units", 7}}},
      {"prior-units", "8", {{"model.prior_units", 8}}},
      {"code-units", "9", {{"model.code_units", 9}}},
      {"decoder-activation", "relu", {{"model.decoder_activation", "relu"}}},
      {"trained-on", "train", {{"trained_on", TrainedOn::train}}},
      {"load", "a/run", {{"load", "a/run"}}},
      {"batch", "17", {{"batch", 17}}},
      {"lr", "0.01", {{"adam.learning_rate", 0.01}}},
      {"flipped", "0.25", {{"flipped", 0.25}}},
      {"noise", "0.5", {{"noise", 0.5}}},
      {"chain-steps", "20", {{"chain_steps", 20}}}};
  rows.insert(rows.end(), own.begin(), own.end());
  test::check_options<Options>([] { return preset_options(test::choices()); }, all_of, rows);
}

const nlohmann::json kMnistLadder =
    nlohmann::json::parse(R"({"preset": "mnist-ladder", "seed": 1, "epochs": 200,
  "iters-per-epoch": 1000, "log-every": 100, "checkpoint-every": 0, "bn": "global", "grad-reduce": "f32", "comm-timeout": 30, "device": "cpu", "threads": 0, "precision": "fp32",
  "graph": "auto", "data": "auto", "classes": 10, "label-offset": 0, "synth-train": 60000, "synth-test": 10000, "synth-seed": 1,
  "scaling": "auto", "learn": "sym", "encoder": "ladder", "likelihood": "bernoulli", "nz0": 30, "nz1": 100, "width": 32,
  "encoder-units": 600, "prior-units": 600, "code-units": 600, "decoder-activation": "tanh", "trained-on": "all",
  "batch": 1024, "lr": 1e-4, "flipped": 0.001, "noise": 0.01})");

// 200 000 iterations, as published, over batches of 1024.
TEST(Presets, OfSymVae) {
  for (const auto& [name, patch] :
       {std::pair{"mnist-ladder", R"({})"},
        {"mnist-reverse", R"({"preset": "mnist-reverse", "encoder": "reverse"})"},
        {"fmnist-ladder", R"({"preset": "fmnist-ladder", "data": "fashion-mnist", "likelihood": "gaussian",
                              "encoder-units": 1000, "decoder-activation": "relu"})"}}) {
    Options o = preset_options(test::choices({{"preset", name}}));
    expect_config(tool::described(o).config(), with(kMnistLadder, patch));
    EXPECT_EQ(o.run.run, "runs/sym_vae");
    EXPECT_EQ(inputs_of(o),
              name == std::string("fmnist-ladder") ? train::Inputs::unit : train::Inputs::binary);
  }
}

TEST(Presets, WhatNoOptionOfSymVaeSets) {
  const auto values = all_of(preset_options(test::choices())).values();
  EXPECT_EQ(values.at("chains"), "10");
  EXPECT_EQ(values.at("adam.beta1"), "0.9");
  EXPECT_EQ(values.at("adam.beta2"), "0.999");
  EXPECT_EQ(values.at("adam.eps"), "1e-08");
  EXPECT_EQ(values.at("adam.weight_decay"), "0");
  EXPECT_EQ(values.at("adam.form"), test::Value(kernels::AdamForm::torch).text);
  EXPECT_EQ(values.at("clip.norm"), "0");
  EXPECT_EQ(values.at("clip.element"), "0");
  EXPECT_EQ(values.at("data.inputs"), test::Value(train::Inputs::binary).text);
}

}  // namespace
}  // namespace vae::sym_vae
