// Options of m1, m2 and m1_m2: what they set, number by number, and what the presets are.
#include "tests/tools/settings.h"
#include "tools/m1_m2/options.h"

namespace vae::m1_m2 {
namespace {

using test::Expected, test::expect_config, test::Row, test::Value, test::with;

void add_net(test::Settings& s, const NetConfig& net) {
  const auto& [hidden, activation, batch_norm, batch_norm_to_input, dropout] = net;
  s.add("hidden", hidden);
  s.add("activation", activation);
  s.add("batch_norm", batch_norm);
  s.add("batch_norm_to_input", batch_norm_to_input);
  s.add("dropout", dropout);
}

void add_common(test::Settings& s, const CommonConfig& c) {
  const auto& [decoder, x_size, norm_before_activation, norm, weight_scale, p_z, q_z] = c;
  const auto& [eps, momentum, running_var_includes_eps, eval_adds_eps, initial_running_var] = norm;
  s.add("decoder", decoder);
  s.add("x_size", x_size);
  s.add("batch_norm_before_activation", norm_before_activation);
  s.add("bn.eps", eps);
  s.add("bn.momentum", momentum);
  s.add("bn.running_var_includes_eps", running_var_includes_eps);
  s.add("bn.eval_adds_eps", eval_adds_eps);
  s.add("bn.initial_running_var", initial_running_var);
  s.add("weight_scale", weight_scale);
  s.add("p_z", p_z);
  s.add("q_z", q_z);
}

void add_model(test::Settings& s, const M1Config& c) {
  add_common(s, c);
  s.add("z_size", c.z_size);
  s.add("samples", c.samples);
  s.within("encoder.", [&] { add_net(s, c.encoder); });
  s.within("decoder_net.", [&] { add_net(s, c.decoder_net); });
}

void add_model(test::Settings& s, const M2Config& c) {
  add_common(s, c);
  s.add("y_size", c.y_size);
  s.add("z_size", c.z_size);
  s.add("z_terms", c.z_terms);
  s.within("encoder_xy_z.", [&] { add_net(s, c.encoder_xy_z); });
  s.within("encoder_x_y.", [&] { add_net(s, c.encoder_x_y); });
  s.within("decoder_net.", [&] { add_net(s, c.decoder_net); });
}

test::Settings recipe_of(const M1Options& o) {
  test::Settings s;
  const auto& [model, batch, adam, rate] = settings_of(o, test::small_data());
  s.within("model.", [&] { add_model(s, model); });
  s.add("batch", batch);
  add_adam(s, adam);
  s.add("rate", rate);
  return s;
}

test::Settings recipe_of(const M2Options& o) {
  test::Settings s;
  const auto& [model, m1, labeled, unlabeled, objective, adam, rate] = settings_of(o, test::small_data());
  s.within("model.", [&] { add_model(s, model); });
  if (m1) s.within("m1.", [&] { add_model(s, *m1); });
  s.add("batch_labeled", labeled);
  s.add("batch_unlabeled", unlabeled);
  const auto& [update, alpha, weight_labeled, weight_unlabeled, class_threshold] = objective;
  s.add("objective.update", update);
  s.add("objective.alpha", alpha);
  s.add("objective.labeled", weight_labeled);
  s.add("objective.unlabeled", weight_unlabeled);
  s.add("objective.class_threshold", class_threshold);
  add_adam(s, adam);
  s.add("rate", rate);
  return s;
}

test::Settings all_of(const M1Options& o) {
  test::Settings s = recipe_of(o);
  add_run(s, o, inputs_of(o));
  return s;
}

test::Settings all_of(const M2Options& o) {
  test::Settings s = recipe_of(o);
  add_run(s, o, inputs_of(o));
  add_split(s, o.split, o.run.seed);
  if (const auto stage = stage_of(o)) s.within("stage.", [&] { add_stage(s, *stage, o); });
  return s;
}

M1Options small_m1() {
  M1Options o = m1_preset(test::choices());
  test::set(tool::described(o), {{"epochs", "4"}, {"iters-per-epoch", "100"}});
  return o;
}

M2Options small(M2Options o) {
  test::set(tool::described(o),
            {{"epochs", "4"}, {"iters-per-epoch", "100"}, {"labels", "30"}, {"validation", "1000"}});
  if (o.m1) test::set(tool::described(o), {{"m1-epochs", "4"}, {"m1-iters-per-epoch", "100"}});
  return o;
}

M2Options small_m2() { return small(m2_preset(test::choices())); }
M2Options small_m1_m2() { return small(m1_m2_preset(test::choices())); }

void append(std::vector<Row>& rows, std::vector<Row> more) {
  for (Row& row : more) rows.push_back(std::move(row));
}

/// The same value in every net.
Expected in_nets(const std::vector<std::string>& nets, const std::string& member, const Value& value) {
  Expected expected;
  for (const std::string& net : nets) expected.emplace(net + "." + member, value);
  return expected;
}

const std::vector<std::string> kM1Nets{"model.encoder", "model.decoder_net"};
const std::vector<std::string> kM2Nets{"model.encoder_xy_z", "model.encoder_x_y", "model.decoder_net"};

/// Options of any of the models, whose nets are called so.
std::vector<Row> model_rows(const std::vector<std::string>& nets) {
  return {{"preset", "paper", {{"preset", "paper"}}},
          {"z", "7", {{"model.z_size", 7}}},
          {"hidden", "8,9", in_nets(nets, "hidden", "8,9")},
          {"activation", "tanh", in_nets(nets, "activation", "tanh")},
          {"type-pz", "sampled", {{"model.p_z", ZTerm::sampled}}},
          {"type-qz", "sampled", {{"model.q_z", ZTerm::sampled}}},
          {"lr", "0.01", {{"adam.learning_rate", 0.01}, {"rate", kernels::Schedule::constant(0.01)}}},
          // 3e-4 (1 + cos(pi i / 400)) / 2 at i = 0, 9, 100, 200, 400
          {"lr-decay", "cosine", {{"rate", "0.0003 0.00029963 0.00025607 0.00015 0"}}},
          {"lr-epochs", "2", {{"rate", "0.0003 0.0002865 0.00015 0 0"}}, {{"lr-decay", "linear"}}},
          {"lr-warmup", "20", {{"rate", "1.5e-05 0.00015 0.0003 0.0003 0.0003"}}},
          {"clip", "3", {{"clip.norm", 3}}},
          {"wscale", "0.5", {{"model.weight_scale", 0.5}}},
          {"dropout", "0.25", in_nets(nets, "dropout", 0.25)},
          {"batchnorm", "false", in_nets(nets, "batch_norm", false)},
          {"batchnorm-to-input", "false", in_nets(nets, "batch_norm_to_input", false)},
          {"batchnorm-before-activation", "false", {{"model.batch_norm_before_activation", false}}},
          {"bn-eps", "0.001", {{"model.bn.eps", 0.001}}},
          {"bn-running-var-includes-eps", "false", {{"model.bn.running_var_includes_eps", false}}},
          {"bn-eval-adds-eps", "true", {{"model.bn.eval_adds_eps", true}}}};
}

std::vector<Row> m2_rows() {
  return {{"z-terms", "explicit", {{"model.z_terms", ZTerms::explicit_terms}}},
          {"batch-labeled", "17", {{"batch_labeled", 17}}},
          {"batch-unlabeled", "19", {{"batch_unlabeled", 19}}},
          {"alpha", "0.5", {{"objective.alpha", 0.5}}},
          {"update", "joint", {{"objective.update", M2Update::joint}}},
          // of 30 labelled and 570 unlabelled images
          {"weights", "counts", {{"objective.labeled", 0.05}, {"objective.unlabeled", 0.95}}},
          {"class-threshold", "1e-6", {{"objective.class_threshold", 1e-6}}}};
}

TEST(Options, OfM1) {
  std::vector<Row> rows = test::common_rows();
  append(rows, model_rows(kM1Nets));
  append(rows, {{"scaling", "unit", {{"data.inputs", train::Inputs::unit}}},
                {"decoder",
                 "gaussian",
                 {{"model.decoder", LikelihoodKind::gaussian}, {"data.inputs", train::Inputs::unit}}},
                {"batch", "17", {{"batch", 17}}},
                {"samples", "3", {{"model.samples", 3}}}});
  test::check_options<M1Options>(
      small_m1, [](const M1Options& o) { return all_of(o); }, rows);
}

TEST(Options, OfM2) {
  std::vector<Row> rows = test::common_rows("", true);
  append(rows, model_rows(kM2Nets));
  append(rows, m2_rows());
  append(rows, {{"scaling", "unit", {{"data.inputs", train::Inputs::unit}}},
                {"decoder",
                 "gaussian",
                 {{"model.decoder", LikelihoodKind::gaussian}, {"data.inputs", train::Inputs::unit}}}});
  test::check_options<M2Options>(
      small_m2, [](const M2Options& o) { return all_of(o); }, rows);
}

TEST(Options, OfM2OnM1) {
  std::vector<Row> rows = test::common_rows("m1", true);
  append(rows, model_rows(kM2Nets));
  append(rows, m2_rows());
  append(rows, {{"scaling",
                 "unit",
                 {{"data.inputs", train::Inputs::unit},
                  {"stage.inputs", train::Inputs::unit},
                  {"stage.--scaling", "unit"}}},
                {"decoder", "bernoulli", {{"model.decoder", LikelihoodKind::bernoulli}}},
                {"m1-run", "/x", {{"stage.given", "/x"}}},
                {"m1-epochs", "5", {{"stage.--epochs", 5}}},
                {"m1-iters-per-epoch", "7", {{"stage.--iters-per-epoch", 7}}},
                {"m1-batch", "12", {{"stage.--batch", 12}}}});
  // M1's options make its own run; those of its model the frozen one, too.
  std::vector<Row> of_m1 = model_rows({"m1.encoder", "m1.decoder_net"});
  append(of_m1, {{"samples", "3", {{"m1.samples", 3}}},
                 {"decoder",
                  "gaussian",
                  {{"m1.decoder", LikelihoodKind::gaussian},
                   {"data.inputs", train::Inputs::unit},
                   {"stage.inputs", train::Inputs::unit}}}});
  for (Row& row : of_m1) {
    if (row.name == "preset") continue;
    Expected changes{{"stage.--" + row.name, row.text}};
    for (const auto& [name, value] : row.changes) {
      const bool model = name.starts_with("model.");
      if (model || name.starts_with("m1.") || name.ends_with(".inputs") || name == "data.inputs")
        changes.emplace(model ? "m1." + name.substr(6) : name, value);
    }
    if (row.name == "z") changes.emplace("model.x_size", 7);
    if (row.name == "lr-decay") changes.emplace("stage.--lr-epochs", 4);
    for (auto& [name, text] : row.given) name = "m1-" + name;
    rows.push_back({"m1-" + row.name, row.text, changes, row.given});
  }
  test::check_options<M2Options>(
      small_m1_m2, [](const M2Options& o) { return all_of(o); }, rows);
}

TEST(Options, ARateFallsOverTheRunUnlessItsOwnLengthIsGiven) {
  M1Options o = small_m1();
  const tool::OptionTable table = tool::described(o);
  test::set(table, {{"lr-decay", "linear"}, {"iters-per-epoch", "50"}});
  EXPECT_EQ(Value(settings_of(o, test::small_data()).rate).text, "0.0003 0.0002865 0.00015 0 0");
  test::set(table, {{"epochs", "8"}});
  EXPECT_EQ(Value(settings_of(o, test::small_data()).rate).text, "0.0003 0.00029325 0.000225 0.00015 0");
  const nlohmann::json stored = table.config();
  EXPECT_EQ(stored["lr-epochs"], 8);
  test::set(table, {{"epochs", "80"}});
  EXPECT_EQ(table.config()["lr-epochs"], 80);
  table.check_resumed(stored);
  EXPECT_EQ(Value(settings_of(o, test::small_data()).rate).text, "0.0003 0.00029325 0.000225 0.00015 0");
  EXPECT_EQ(table.config()["lr-epochs"], 8) << "as the run began";
  test::set(table, {{"lr-epochs", "4"}});
  table.check_resumed(stored);
  EXPECT_EQ(table.config()["lr-epochs"], 4) << "as asked";
}

template <class Options>
nlohmann::json preset(Options (*make)(const tool::Find&), const std::string& name) {
  Options o = make(test::choices({{"preset", name}}));
  return tool::described(o).config();
}

const nlohmann::json kM1 =
    nlohmann::json::parse(R"({"preset": "seed", "seed": 1, "epochs": 1000, "iters-per-epoch": 2000,
  "log-every": 0, "checkpoint-every": 0, "bn": "global", "grad-reduce": "f32", "comm-timeout": 30, "device": "cpu", "threads": 0, "precision": "fp32", "graph": "auto", "data": "auto",
  "classes": 10, "label-offset": 0, "synth-train": 60000, "synth-test": 10000, "synth-seed": 1, "scaling": "auto", "batch": 100, "z": 2,
  "hidden": "600,600", "activation": "softplus", "decoder": "bernoulli", "samples": 1, "type-pz": "marginal",
  "type-qz": "marginal", "lr": 3e-4, "lr-decay": "constant", "lr-warmup": 0, "clip": 0, "wscale": 0.1, "dropout": 0,
  "batchnorm": true, "batchnorm-to-input": true, "batchnorm-before-activation": true, "bn-eps": 1e-5,
  "bn-running-var-includes-eps": true, "bn-eval-adds-eps": false})");

const nlohmann::json kM2 = with(kM1, R"({"batch": null, "samples": null, "labels": 100, "validation": 10000,
  "batch-labeled": 100, "batch-unlabeled": 100, "alpha": 1, "update": "separate", "weights": "means", "class-threshold": 1e-8, "z": 50, "hidden": 500,
  "z-terms": "kl", "clip": 5})");

const char* const kChainer19 =
    R"({"preset": "chainer19", "wscale": 0.31622776601683794})";  // the root of 0.1
const char* const kPaper =
    R"({"preset": "paper", "batchnorm": false, "batchnorm-to-input": false, "clip": 0})";
const char* const kPaperM2 = R"({"update": "joint", "alpha": 0.1, "weights": "counts"})";

TEST(Presets, OfM1) {
  expect_config(preset(m1_preset, "seed"), kM1);
  expect_config(preset(m1_preset, "chainer19"), with(kM1, kChainer19));
  expect_config(preset(m1_preset, "paper"), with(with(kM1, kPaper), R"({"z": 50})"));
}

TEST(Presets, OfM2) {
  expect_config(preset(m2_preset, "seed"), kM2);
  expect_config(preset(m2_preset, "chainer19"), with(kM2, kChainer19));
  expect_config(preset(m2_preset, "paper"), with(with(kM2, kPaper), kPaperM2));
}

TEST(Presets, OfM2OnM1) {
  const auto expected = [](nlohmann::json m2, const nlohmann::json& m1) {
    m2 = with(m2, R"({"epochs": 600, "iters-per-epoch": 5000, "decoder": "gaussian"})");
    for (const char* name : {"epochs",
                             "iters-per-epoch",
                             "batch",
                             "z",
                             "hidden",
                             "activation",
                             "decoder",
                             "samples",
                             "type-pz",
                             "type-qz",
                             "lr",
                             "lr-decay",
                             "lr-warmup",
                             "clip",
                             "wscale",
                             "dropout",
                             "batchnorm",
                             "batchnorm-to-input",
                             "batchnorm-before-activation",
                             "bn-eps",
                             "bn-running-var-includes-eps",
                             "bn-eval-adds-eps"})
      m2["m1-" + std::string(name)] = m1.at(name);
    return with(m2, R"({"m1-epochs": 500, "m1-z": 50})");
  };
  expect_config(preset(m1_m2_preset, "seed"), expected(kM2, kM1));
  expect_config(preset(m1_m2_preset, "chainer19"), expected(with(kM2, kChainer19), with(kM1, kChainer19)));
  expect_config(preset(m1_m2_preset, "paper"),
                expected(with(with(kM2, kPaper), kPaperM2), with(kM1, kPaper)));
}

TEST(Presets, WhatNoOptionSets) {
  const Expected of_adam{{"adam.beta1", 0.9},
                         {"adam.beta2", 0.999},
                         {"adam.eps", 1e-8},
                         {"adam.weight_decay", 0},
                         {"adam.form", kernels::AdamForm::chainer},
                         {"clip.element", 0}};
  const Expected of_model{
      {"model.x_size", 6}, {"model.bn.momentum", 0.1}, {"model.bn.initial_running_var", 0}};
  Expected of_m1 = of_adam;
  of_m1.insert(of_model.begin(), of_model.end());
  Expected of_m2 = of_m1;
  of_m2.insert({{"model.y_size", 3}, {"objective.labeled", 1}, {"objective.unlabeled", 1}});
  const auto check = [](const test::Settings& s, const Expected& expected) {
    for (const auto& [name, value] : expected) EXPECT_EQ(s.values().at(name), value.text) << name;
  };
  check(recipe_of(small_m1()), of_m1);
  check(recipe_of(small_m2()), of_m2);
  EXPECT_EQ(small_m1().run.run, "runs/m1");
  EXPECT_EQ(small_m2().run.run, "runs/m2");
  EXPECT_EQ(small_m1_m2().run.run, "runs/m1_m2");
  const test::Settings stacked = all_of(small_m1_m2());
  check(stacked, {{"model.x_size", 50},
                  {"m1.x_size", 6},
                  {"stage.title", "M1"},
                  {"stage.folder", "m1"},
                  {"stage.given", ""},
                  {"stage.run", "runs/m1_m2/m1"},
                  {"stage.tool", "m1"},
                  {"stage.inputs", train::Inputs::binary}});
}

}  // namespace
}  // namespace vae::m1_m2
