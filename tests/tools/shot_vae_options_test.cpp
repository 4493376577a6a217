// Options of shot_vae, shot_m2, shot_classifier and smooth_elbo: what they set, number by number, and what
// the presets are.
#include <CLI/CLI.hpp>

#include "tests/tools/settings.h"
#include "tools/shot_vae/classifier_options.h"
#include "tools/shot_vae/options.h"
#include "tools/shot_vae/smooth_options.h"

namespace vae::shot_vae {
namespace {

using test::choices, test::expect_config, test::Row, test::Settings, test::with;

void add_backbone(Settings& s, const backbones::Config& backbone) {
  const auto& [sizes, dropout, channels, slope, norm, last_norm] = backbone;
  if (const auto* wide = std::get_if<backbones::WideResNet>(&sizes))
    s.add("sizes", fmt::format("wide {} {}", wide->depth, wide->width));
  else
    s.add("sizes", sizes.index());
  s.add("dropout", dropout);
  s.add("channels", channels);
  s.add("slope", slope);
  s.add("eps", norm.eps);
  s.add("last_norm", last_norm);
}

void add_source(Settings& s, const SourceSettings& source) {
  const auto& [batch_labeled, batch, stream, equal, pad, flip, epoch_length] = source;
  s.add("batch_labeled", batch_labeled);
  s.add("batch", batch);
  s.add("labeled_stream", stream);
  s.add("equal_batches", equal);
  s.add("pad", pad);
  s.add("flip", flip);
  s.add("epoch_length", epoch_length);
}

void add_training(Settings& s, const Training& training, const backbones::Config& backbone) {
  const auto& [net, source, rate, sgd, augment_validation, average] = training;
  s.add("augment_validation", augment_validation);
  s.add("average", average);
  s.add("net", net);
  s.within("backbone.", [&] { add_backbone(s, backbone); });
  s.within("source.", [&] { add_source(s, source); });
  const auto& [start, factor, drops] = rate;
  s.add("rate.start", start);
  s.add("rate.factor", factor);
  s.add("rate.drops", drops);
  const auto& [learning_rate, rule, clip] = sgd;
  s.add("sgd.learning_rate", learning_rate);
  s.add("sgd.momentum", rule.momentum);
  s.add("sgd.weight_decay", rule.weight_decay);
  s.add("sgd.nesterov", rule.nesterov);
  add_clip(s, clip);
}

void add_objective(Settings& s, const Objective& objective) {
  const auto& [reconstruction, sigma, target_z, target_y, beta_z, beta_y, elbo, elbo_boost, boost_after,
               distance, unlabeled] = objective;
  s.add("reconstruction", reconstruction);
  s.add("sigma", sigma);
  s.add("elbo_boost", elbo_boost);
  s.add("boost_after", boost_after);
  const auto add = [&](const std::string& name, const Ramp& ramp) {
    s.add(name, ramp.top);
    s.add(name + ".epochs", ramp.epochs);
  };
  add("target_z", target_z), add("target_y", target_y), add("beta_z", beta_z), add("beta_y", beta_y);
  add("elbo", elbo), add("distance", distance), add("unlabeled", unlabeled);
}

Settings all_of(const Options& o) {
  Settings s;
  const ShotRecipe::Settings settings = settings_of(o, test::small_data());
  const auto& [training, model, method, objective, epsilon, partner, decode_mixed] = settings;
  const auto& [backbone, z_size, classes, decoder_width, side, temperature] = model;
  add_training(s, training, backbone);
  s.within("objective.", [&] { add_objective(s, objective); });
  s.add("model.z_size", z_size);
  s.add("model.classes", classes);
  s.add("model.decoder_width", decoder_width);
  s.add("model.side", side);
  s.add("model.temperature", temperature);
  s.add("method", method);
  s.add("epsilon", epsilon);
  s.add("partner", partner);
  s.add("decode_mixed", decode_mixed);
  add_run(s, o, inputs_of(o));
  add_split(s, o.split, o.run.seed);
  return s;
}

Settings all_of(const ClassifierOptions& o) {
  Settings s;
  const ClassifierRecipe::Settings settings = settings_of(o, test::small_data());
  const auto& [training, backbone, classes, method, threshold, unlabeled_weight, operations] = settings;
  add_training(s, training, backbone);
  s.add("classes", classes);
  s.add("method", method);
  s.add("threshold", threshold);
  s.add("unlabeled_weight", unlabeled_weight);
  s.add("operations", operations);
  add_run(s, o, inputs_of(o));
  add_split(s, o.split, o.run.seed);
  return s;
}

void add_capacity(Settings& s, const Capacity& capacity) {
  const auto& [min, max, updates, gamma] = capacity;
  s.add("min", min);
  s.add("max", max);
  s.add("updates", updates);
  s.add("gamma", gamma);
}

Settings all_of(const SmoothOptions& o) {
  Settings s;
  const SmoothRecipe::Settings settings = settings_of(o, test::small_data());
  const auto& [model, objective, batch_labeled, batch, order, adam, plateau] = settings;
  const auto& [side, channels, conv, deconv, hidden, z_size, classes, temperature] = model;
  s.add("model.side", side);
  s.add("model.channels", channels);
  s.add("model.conv", conv);
  s.add("model.deconv", deconv);
  s.add("model.hidden", hidden);
  s.add("model.z_size", z_size);
  s.add("model.classes", classes);
  s.add("model.temperature", temperature);
  s.within("z.", [&] { add_capacity(s, objective.z); });
  s.within("y.", [&] { add_capacity(s, objective.y); });
  s.add("alpha", objective.alpha);
  s.add("batch_labeled", batch_labeled);
  s.add("batch", batch);
  s.add("order", order);
  add_adam(s, adam);
  s.add("plateau",
        plateau ? fmt::format("{} {} {}", plateau->factor, plateau->patience, plateau->threshold) : "none");
  add_run(s, o, inputs_of(o));
  add_split(s, o.split, o.run.seed);
  return s;
}

/// The defaults, with a split that small_data() and test::common_rows() have.
template <class Options>
Options small(Options o) {
  o.split = {.labels = 30, .validation = 1000};
  return o;
}

/// Rows of all tools on deep backbones.
std::vector<Row> shared_rows() {
  std::vector<Row> rows = test::common_rows("", true);
  for (Row& row : rows)
    if (row.name == "iters-per-epoch") row.changes.emplace("source.epoch_length", 50);
  const std::vector<Row> own{
      {"preset", "published", {{"preset", "published"}}},
      {"scaling", "binary", {{"data.inputs", train::Inputs::binary}}},
      {"net-name", "wideresnet-10-1", {{"net", "wideresnet-10-1"}, {"backbone.sizes", "wide 10 1"}}},
      {"dropout", "0.25", {{"backbone.dropout", 0.25}}},
      {"batch", "17", {{"source.batch", 17}}},
      {"batch-labeled", "18", {{"source.batch_labeled", 18}}},
      {"labeled-stream", "fresh", {{"source.labeled_stream", LabeledStream::fresh}}},
      {"pad", "2", {{"source.pad", 2}}},
      {"flip", "false", {{"source.flip", false}}},
      {"augment-validation", "true", {{"augment_validation", true}}},
      {"lr", "0.3", {{"rate.start", 0.3}}},
      {"lr-drops", "7,9", {{"rate.drops", "7,9"}}},
      {"lr-factor", "0.5", {{"rate.factor", 0.5}}},
      {"momentum", "0.8", {{"sgd.momentum", 0.8}}},
      {"weight-decay", "0.001", {{"sgd.weight_decay", 0.001}}},
      {"ema", "0.9", {{"average", 0.9}}}};
  rows.insert(rows.end(), own.begin(), own.end());
  return rows;
}

/// Of shot_vae and shot_m2.
std::vector<Row> bound_rows() {
  std::vector<Row> rows = shared_rows();
  const std::vector<Row> own{
      {"z", "7", {{"model.z_size", 7}}},
      {"decoder-width", "5", {{"model.decoder_width", 5}}},
      {"temperature", "0.5", {{"model.temperature", 0.5}}},
      {"reconstruction", "squared", {{"objective.reconstruction", Reconstruction::squared}}},
      {"x-sigma", "0.5", {{"objective.sigma", 0.5}}},
      {"z-target", "11", {{"objective.target_z", 11}}},
      {"y-target", "1.5", {{"objective.target_y", 1.5}}},
      {"beta-z", "0.25", {{"objective.beta_z", 0.25}}},
      {"beta-y", "0.75", {{"objective.beta_y", 0.75}}},
      {"beta-epochs",
       "13",
       {{"objective.target_z.epochs", 13},
        {"objective.target_y.epochs", 13},
        {"objective.beta_z.epochs", 13},
        {"objective.beta_y.epochs", 13}}},
      {"elbo-weight", "0.5", {{"objective.elbo", 0.5}}},
      {"elbo-epochs", "14", {{"objective.elbo.epochs", 14}}},
      {"elbo-boost", "6", {{"objective.elbo_boost", 6}}},
      {"boost-after", "15", {{"objective.boost_after", 15}}}};
  rows.insert(rows.end(), own.begin(), own.end());
  return rows;
}

TEST(Options, OfShotVae) {
  std::vector<Row> rows = bound_rows();
  const std::vector<Row> own{{"distance-weight", "2", {{"objective.distance", 2}}},
                             {"distance-epochs", "16", {{"objective.distance.epochs", 16}}},
                             {"unlabeled-weight", "3", {{"objective.unlabeled", 3}}},
                             {"unlabeled-epochs", "17", {{"objective.unlabeled.epochs", 17}}},
                             {"epsilon", "0.5", {{"epsilon", 0.5}}},
                             {"partner", "nearest", {{"partner", Partner::nearest}}},
                             {"decode-mixed", "false", {{"decode_mixed", false}}}};
  rows.insert(rows.end(), own.begin(), own.end());
  test::check_options<Options>([] { return small(preset_options(Method::shot, choices())); },
                               [](const Options& o) { return all_of(o); }, rows);
}

TEST(Options, OfShotM2) {
  test::check_options<Options>([] { return small(preset_options(Method::m2, choices())); },
                               [](const Options& o) { return all_of(o); }, bound_rows());
}

TEST(Options, OfShotClassifier) {
  std::vector<Row> rows = shared_rows();
  const std::vector<Row> own{{"method", "fixmatch", {{"method", ClassifierMethod::fixmatch}}},
                             {"threshold", "0.5", {{"threshold", 0.5}}},
                             {"unlabeled-weight", "3", {{"unlabeled_weight", 3}}},
                             {"operations", "4", {{"operations", 4}}}};
  rows.insert(rows.end(), own.begin(), own.end());
  test::check_options<ClassifierOptions>([] { return small(classifier_preset(choices())); },
                                         [](const ClassifierOptions& o) { return all_of(o); }, rows);
}

TEST(Options, OfSmoothElbo) {
  std::vector<Row> rows = test::common_rows("", true);
  const std::vector<Row> own{{"preset", "svhn", {{"preset", "svhn"}}},
                             {"scaling", "binary", {{"data.inputs", train::Inputs::binary}}},
                             {"batch", "17", {{"batch", 17}}},
                             {"batch-labeled", "18", {{"batch_labeled", 18}}},
                             {"order", "shuffled", {{"order", BatchOrder::shuffled}}},
                             {"lr", "0.3", {{"adam.learning_rate", 0.3}}},
                             {"lr-patience", "6", {{"plateau", "0.1 6 0.0001"}}},
                             {"lr-factor", "0.5", {{"plateau", "0.5 6 0.0001"}}, {{"lr-patience", "6"}}},
                             {"alpha", "7", {{"alpha", 7}}},
                             {"z-target-min", "1", {{"z.min", 1}}},
                             {"z-target-max", "21", {{"z.max", 21}}},
                             {"z-target-updates", "22", {{"z.updates", 22}}},
                             {"z-target-gamma", "23", {{"z.gamma", 23}}},
                             {"y-target-min", "2", {{"y.min", 2}}},
                             {"y-target-max", "24", {{"y.max", 24}}},
                             {"y-target-updates", "25", {{"y.updates", 25}}},
                             {"y-target-gamma", "26", {{"y.gamma", 26}}},
                             {"z", "8", {{"model.z_size", 8}}},
                             {"hidden", "9", {{"model.hidden", 9}}},
                             {"conv", "3,4", {{"model.conv", "3,4"}}},
                             {"deconv", "5", {{"model.deconv", "5"}}},
                             {"temperature", "0.5", {{"model.temperature", 0.5}}}};
  rows.insert(rows.end(), own.begin(), own.end());
  test::check_options<SmoothOptions>([] { return small(smooth_preset(choices())); },
                                     [](const SmoothOptions& o) { return all_of(o); }, rows);
}

const nlohmann::json kShotVae =
    nlohmann::json::parse(R"({"preset": "reference", "seed": 1, "epochs": 600, "iters-per-epoch": 0,
  "log-every": 0, "checkpoint-every": 0, "bn": "global", "grad-reduce": "f32", "comm-timeout": 30, "device": "cpu", "threads": 0, "precision": "fp32", "graph": "auto", "data": "auto",
  "classes": 10, "label-offset": 0, "synth-train": 60000, "synth-test": 10000, "synth-seed": 1, "scaling": "auto",
  "labels": 4000, "validation": 5000, "split-rule": "shot", "net-name": "wideresnet-28-2", "dropout": 0, "batch": 768,
  "batch-labeled": 768, "labeled-stream": "cached", "pad": 4, "flip": true, "augment-validation": false, "lr": 0.1,
  "lr-drops": "400,500,550", "lr-factor": 0.1, "momentum": 0.9, "weight-decay": 5e-4, "ema": 0, "z": 128,
  "decoder-width": 64, "temperature": 0.67, "reconstruction": "bernoulli", "x-sigma": 1, "z-target": 0, "y-target": 2.3,
  "beta-z": 1e-3, "beta-y": 1e-3, "beta-epochs": 200, "elbo-weight": 1e-3, "elbo-epochs": 400, "elbo-boost": 5,
  "boost-after": 400, "distance-weight": 1, "distance-epochs": 200, "unlabeled-weight": 1, "unlabeled-epochs": 240,
  "epsilon": 0.1, "partner": "random", "decode-mixed": true})");

/// The configuration of a preset of shot_vae or shot_m2.
nlohmann::json config_of(Method method, const std::map<std::string, std::string>& chosen) {
  Options o = preset_options(method, choices(chosen));
  if (const auto data = chosen.find("data"); data != chosen.end()) o.images.dataset = data->second;
  EXPECT_EQ(o.run.run, method == Method::shot ? "runs/shot_vae" : "runs/shot_m2");
  EXPECT_EQ(o.training.source.equal_batches, method == Method::m2);
  return tool::described(o).config();
}

// As the command lines of the published programs are, with what those override (specification of the runs).
TEST(Presets, OfShotVaeByDataSet) {
  const auto check = [](const std::map<std::string, std::string>& chosen, const std::string& patch) {
    expect_config(config_of(Method::shot, chosen), with(kShotVae, patch));
  };
  check({}, "{}");
  check({{"data", "cifar10"}}, R"({"data": "cifar10"})");
  check({{"labels", "1999"}}, R"({"boost-after": -1})");  // below 5 % of 40 000
  check({{"labels", "2000"}}, "{}");
  check({{"data", "svhn"}}, R"({"data": "svhn", "labels": 1000, "validation": 1000, "boost-after": -1})");
  const std::string of_100 =
      R"({"data": "cifar100", "epochs": 700, "lr-drops": "500,600,650", "reconstruction": "squared",
    "y-target": 4.6, "beta-epochs": 150, "distance-epochs": 400, "unlabeled-epochs": 280, "boost-after": -1})";
  check({{"data", "cifar100"}}, of_100);
  check({{"preset", "published"}}, R"({"preset": "published", "z-target": 200})");
  expect_config(config_of(Method::shot, {{"preset", "published"}, {"data", "cifar100"}}),
                with(with(kShotVae, of_100), R"({"preset": "published", "z-target": 1280, "beta-z": 0.1})"));
}

nlohmann::json without(nlohmann::json config, const std::vector<std::string>& names) {
  for (const std::string& name : names) config.erase(name);
  return config;
}

TEST(Presets, OfShotM2ByDataSet) {
  const nlohmann::json m2 = without(kShotVae, {"distance-weight", "distance-epochs", "unlabeled-weight",
                                               "unlabeled-epochs", "epsilon", "partner", "decode-mixed"});
  expect_config(config_of(Method::m2, {}), with(m2, R"({"z-target": 200, "boost-after": -1})"));
  expect_config(config_of(Method::m2, {{"data", "cifar100"}}),
                with(m2, R"({"data": "cifar100", "epochs": 700, "lr-drops": "500,600,650",
                             "reconstruction": "squared", "z-target": 1280, "y-target": 4.6, "boost-after": -1})"));
  expect_config(config_of(Method::m2, {{"data", "svhn"}}),
                with(m2, R"({"data": "svhn", "labels": 1000, "validation": 1000, "y-target": 0,
                             "boost-after": -1})"));
}

// What depends on epochs shrinks with them; nothing becomes 0.
TEST(Presets, FastShrinksWithItsEpochs) {
  const std::string small =
      R"("preset": "fast", "net-name": "wideresnet-10-1", "batch": 128, "batch-labeled": 32,
    "decoder-width": 16, "decode-mixed": false)";
  expect_config(config_of(Method::shot, {{"preset", "fast"}}),
                with(kShotVae, "{" + small + R"(, "epochs": 20, "lr-drops": "13,17,18", "beta-epochs": 7,
                  "elbo-epochs": 13, "boost-after": 13, "distance-epochs": 7, "unlabeled-epochs": 8})"));
  expect_config(config_of(Method::shot, {{"preset", "fast"}, {"epochs", "60"}}),
                with(kShotVae, "{" + small + R"(, "epochs": 60, "lr-drops": "40,50,55", "beta-epochs": 20,
                  "elbo-epochs": 40, "boost-after": 40, "distance-epochs": 20, "unlabeled-epochs": 24})"));
  expect_config(config_of(Method::shot, {{"preset", "fast"}, {"epochs", "1"}}),
                with(kShotVae, "{" + small + R"(, "epochs": 1, "lr-drops": "1,1,1", "beta-epochs": 1,
                  "elbo-epochs": 1, "boost-after": 1, "distance-epochs": 1, "unlabeled-epochs": 1})"));
  const ClassifierOptions classifier = classifier_preset(choices({{"preset", "fast"}, {"epochs", "50"}}));
  EXPECT_EQ(classifier.run.epochs, 50);
  EXPECT_EQ(classifier.training.rate.drops, (std::vector<int64_t>{30, 35, 40}));
  EXPECT_EQ(classifier.training.average, 0);
  const auto average_of = [](const char* epochs) {
    return classifier_preset(choices({{"preset", "fast"}, {"epochs", epochs}, {"method", "fixmatch"}}))
        .training.average;
  };
  EXPECT_DOUBLE_EQ(average_of("500"), 0.999);
  EXPECT_DOUBLE_EQ(average_of("20"), 0.975);
}

TEST(Presets, OfShotClassifier) {
  nlohmann::json expected = without(
      kShotVae, {"z",           "decoder-width",   "temperature",     "reconstruction",   "x-sigma",
                 "z-target",    "y-target",        "beta-z",          "beta-y",           "beta-epochs",
                 "elbo-weight", "elbo-epochs",     "elbo-boost",      "boost-after",      "epsilon",
                 "partner",     "distance-weight", "distance-epochs", "unlabeled-epochs", "decode-mixed"});
  expected =
      with(expected, R"({"epochs": 500, "batch-labeled": 128, "lr-drops": "300,350,400", "lr-factor": 0.2,
                                "method": "supervised", "threshold": 0.95, "operations": 2})");
  ClassifierOptions o = classifier_preset(choices());
  EXPECT_EQ(o.run.run, "runs/shot_classifier");
  expect_config(tool::described(o).config(), expected);
  ClassifierOptions fixmatch = classifier_preset(choices({{"method", "fixmatch"}}));
  fixmatch.settings.method = ClassifierMethod::fixmatch;
  expect_config(tool::described(fixmatch).config(),
                with(expected, R"({"method": "fixmatch", "batch-labeled": 64, "batch": 448, "ema": 0.999,
                                   "labeled-stream": "fresh"})"));
}

TEST(Presets, OfSmoothElbo) {
  const nlohmann::json mnist = nlohmann::json::parse(R"({"preset": "mnist", "seed": 1, "epochs": 300,
    "iters-per-epoch": 0, "log-every": 0, "checkpoint-every": 0, "bn": "global", "grad-reduce": "f32", "comm-timeout": 30, "device": "cpu", "threads": 0, "precision": "fp32",
    "graph": "auto", "data": "auto", "classes": 10, "label-offset": 0, "synth-train": 60000, "synth-test": 10000,
    "synth-seed": 1, "resize": "32x32", "scaling": "auto", "labels": 100, "validation": 0, "split-rule": "smooth-elbo",
    "batch": 128, "batch-labeled": 4, "order": "files", "lr": 5e-4, "lr-factor": 0.1, "alpha": 50, "z-target-min": 0,
    "z-target-max": 17.5, "z-target-updates": 25000, "z-target-gamma": 30, "y-target-min": 0, "y-target-max": 17,
    "y-target-updates": 25000, "y-target-gamma": 30, "z": 10, "hidden": 256, "conv": "32,64,64", "deconv": "32,32",
    "temperature": 0.67})");
  SmoothOptions o = smooth_preset(choices());
  EXPECT_EQ(o.run.run, "runs/smooth_elbo");
  expect_config(tool::described(o).config(), mnist);
  SmoothOptions svhn = smooth_preset(choices({{"preset", "svhn"}}));
  EXPECT_STREQ(svhn.images.of_auto.sought, "svhn");
  expect_config(tool::described(svhn).config(),
                with(mnist, R"({"preset": "svhn", "epochs": 500, "labels": 1000, "batch": 256,
    "batch-labeled": 512, "lr": 1e-3, "lr-patience": 10, "alpha": 1500, "z-target-max": 50, "z-target-updates": 50000,
    "z-target-gamma": 1, "y-target-max": 50, "y-target-updates": 50000, "y-target-gamma": 1, "z": 32, "hidden": 512,
    "conv": "32,64,128", "deconv": "64,32"})"));
}

// The published programs' own names of options.
TEST(Options, PublishedNamesAreUnderstood) {
  Options o = small(preset_options(Method::shot, choices()));
  const tool::OptionTable table = tool::described(o);  // the parser refers to it
  CLI::App app;
  table.add_to(app);
  app.parse(
      "--drop-rate 0.125 --batch-size 5 --adjust-lr 1,2 --lr-decay-ratio 0.25 --wd 0.5 --ldc 6 --cmi 7 --dmi "
      "8 "
      "--kbmc 0.75 --kbmd 0.375 --akb 9 --ewm 0.0625 --aew 10 --pwm 11 --apw 12 --wrd 13");
  const auto values = all_of(o).values();
  for (const auto& [name, value] : std::map<std::string, std::string>{{"backbone.dropout", "0.125"},
                                                                      {"source.batch", "5"},
                                                                      {"rate.drops", "1,2"},
                                                                      {"rate.factor", "0.25"},
                                                                      {"sgd.weight_decay", "0.5"},
                                                                      {"model.z_size", "6"},
                                                                      {"objective.target_z", "7"},
                                                                      {"objective.target_y", "8"},
                                                                      {"objective.beta_z", "0.75"},
                                                                      {"objective.beta_y", "0.375"},
                                                                      {"objective.beta_z.epochs", "9"},
                                                                      {"objective.elbo", "0.0625"},
                                                                      {"objective.elbo.epochs", "10"},
                                                                      {"objective.distance", "11"},
                                                                      {"objective.distance.epochs", "12"},
                                                                      {"objective.unlabeled", "13"}})
    EXPECT_EQ(values.at(name), value) << name;
}

TEST(Presets, WhatNoOptionOfShotVaeSets) {
  for (const Method method : {Method::shot, Method::m2}) {
    const auto values = all_of(small(preset_options(method, choices()))).values();
    EXPECT_EQ(values.at("method"), test::Value(method).text);
    EXPECT_EQ(values.at("source.equal_batches"), test::Value(method == Method::m2).text);
    EXPECT_EQ(values.at("sgd.nesterov"), "false");
    EXPECT_EQ(values.at("clip.norm"), "0");
    EXPECT_EQ(values.at("clip.element"), "0");
    EXPECT_EQ(values.at("backbone.slope"), "0.01");
    EXPECT_EQ(values.at("backbone.eps"), "1e-05");
    EXPECT_EQ(values.at("backbone.channels"), "1") << "of the images";
    EXPECT_EQ(values.at("model.side"), "2") << "of the images";
    EXPECT_EQ(values.at("model.classes"), "3") << "of the images";
  }
}

TEST(Presets, OfUnknownNames) {
  EXPECT_THROW(preset_options(Method::shot, choices({{"preset", "best"}})), Error);
  EXPECT_THROW(classifier_preset(choices({{"preset", "best"}})), Error);
  EXPECT_THROW(smooth_preset(choices({{"preset", "reference"}})), Error);
}

}  // namespace
}  // namespace vae::shot_vae
