// Options of adgm and vae: what they set, number by number, and what the presets are.
#include "tests/tools/settings.h"
#include "tools/adgm/options.h"

namespace vae::adgm {
namespace {

using kernels::Schedule;
using test::expect_config, test::Row, test::Value, test::with;

void add_model(test::Settings& s, const Config& config) {
  const auto& [kind, x_size, y_size, z, a, hidden, classifier_hidden, conv_channels, decoder_hidden,
               decoder_activation, features_z, features_hidden, flows, draws, temperature, eps, init,
               raw_log_var, share_a, fixed_flow, fixed_ladder, fixed_gumbel] = config;
  s.add("kind", kind);
  s.add("x_size", x_size);
  s.add("y_size", y_size);
  s.add("z", z);
  s.add("a", a);
  s.add("hidden", hidden);
  s.add("classifier_hidden", classifier_hidden);
  s.add("conv_channels", conv_channels);
  s.add("decoder_hidden", decoder_hidden);
  s.add("decoder_activation", decoder_activation);
  s.add("features_z", features_z);
  s.add("features_hidden", features_hidden);
  s.add("flows", flows);
  s.add("draws", draws);
  s.add("temperature", temperature);
  s.add("eps", eps);
  s.add("init", init);
  s.add("raw_log_var", raw_log_var);
  s.add("share_a", share_a);
  s.add("fixed_flow", fixed_flow);
  s.add("fixed_ladder", fixed_ladder);
  s.add("fixed_gumbel", fixed_gumbel);
}

/// Adam and Adagrad by the names of what both have.
void add_rule(test::Settings& s, const nn::OptimizerSettings& settings) {
  const auto add = [&](const char* name, const auto& rule) {
    s.add("name", name);
    s.add("learning_rate", rule.learning_rate);
    s.add("eps", rule.rule.eps);
    s.add("weight_decay", rule.rule.weight_decay);
    add_clip(s, rule.clip);
  };
  if (const auto* adam = std::get_if<nn::Adam::Settings>(&settings)) {
    EXPECT_EQ(adam->rule.beta1, 0.9);
    EXPECT_EQ(adam->rule.beta2, 0.999);
    EXPECT_EQ(adam->rule.form, kernels::AdamForm::torch);
    return add("adam", *adam);
  }
  const auto& adagrad = std::get<nn::Adagrad::Settings>(settings);
  EXPECT_EQ(adagrad.initial_sum, 0);
  add("adagrad", adagrad);
}

test::Settings all_of(const Options& o) {
  test::Settings s;
  train::Data data = test::small_data();
  if (!o.semi()) data.split = {};
  const auto& [model, objective, batch, batch_labeled, iters_per_epoch, rule, rate, redraw_labeled,
               predict_draws] = settings_of(o, data);
  s.within("model.", [&] { add_model(s, model); });
  s.add("objective.alpha", fmt::format("{:.6g}", objective.alpha));
  s.add("objective.mc", objective.samples.mc);
  s.add("objective.iw", objective.samples.iw);
  s.add("objective.class_threshold", objective.class_threshold);
  s.add("objective.beta_labeled", objective.beta_labeled);
  s.add("objective.beta", objective.beta);
  s.add("batch", batch);
  s.add("batch_labeled", batch_labeled);
  s.add("iters_per_epoch", iters_per_epoch);
  s.within("rule.", [&] { add_rule(s, rule); });
  s.add("rate", std::get<Schedule>(rate));
  s.add("redraw_labeled", redraw_labeled);
  s.add("predict_draws", predict_draws);
  s.add("named", o.model);
  add_run(s, o, inputs_of(o));
  if (o.semi()) add_split(s, o.split, o.run.seed);
  if (const auto stage = stage_of(o)) s.within("stage.", [&] { add_stage(s, *stage, o); });
  return s;
}

void append(std::vector<Row>& rows, const std::vector<Row>& more) {
  rows.insert(rows.end(), more.begin(), more.end());
}

/// Options of both tools, but what depends on the warm-up.
std::vector<Row> shared_rows() {
  return {{"preset", "fixed", {{"preset", "fixed"}}},
          {"hidden", "8,9", {{"model.hidden", "8,9"}}},
          {"z", "7", {{"model.z", 7}}},
          {"decoder-hidden", "5,6", {{"model.decoder_hidden", "5,6"}}},
          {"decoder-activation", "tanh", {{"model.decoder_activation", "tanh"}}},
          {"init", "uniform", {{"model.init", Init::uniform_fan_in}}},
          {"eps", "0.25", {{"model.eps", 0.25}}},
          {"ladder", "fixed", {{"model.fixed_ladder", true}}},
          {"optimizer", "adagrad", {{"rule.name", "adagrad"}, {"rule.eps", 1e-10}}},
          {"lr-factor", "0.5", {{"rate", "0.0003 0.0003 0.00015 7.5e-05 1.875e-05"}}, {{"lr-every", "1"}}},
          {"lr-every", "2", {{"rate", "0.0003 0.0003 0.0003 0.00015 7.5e-05"}}, {{"lr-factor", "0.5"}}},
          {"lr-floor",
           "1e-4",
           {{"rate", "0.0003 0.0003 0.00015 0.0001 0.0001"}},
           {{"lr-factor", "0.5"}, {"lr-every", "1"}}},
          {"clip", "2", {{"rule.clip.norm", 2}}},
          {"clamp", "0.5", {{"rule.clip.element", 0.5}}}};
}

Options small(Tool tool, const std::string& model) {
  Options o = preset_options(tool, test::choices({{"model", model}}));
  test::set(tool::described(o), {{"epochs", "4"}, {"iters-per-epoch", "100"}});
  return o;
}

/// The stacked model has every option of the tool, and a stage.
Options small_stacked() {
  Options o = small(Tool::adgm, "stacked");
  test::set(tool::described(o),
            {{"labels", "30"}, {"validation", "1000"}, {"warmup", "200"}, {"alpha", "batches"}});
  return o;
}

TEST(Options, OfAdgm) {
  std::vector<Row> rows = test::common_rows("features", true);
  for (Row& row : rows)
    if (row.name == "iters-per-epoch")
      row.changes.insert({{"iters_per_epoch", 50}, {"stage.--iters-per-epoch", 50}});
  append(rows, shared_rows());
  append(
      rows,
      {{"model", "sdgm", {{"named", "sdgm"}}},
       {"scaling",
        "unit",
        {{"data.inputs", train::Inputs::unit},
         {"stage.inputs", train::Inputs::unit},
         {"stage.--scaling", "unit"}}},
       {"logvar", "raw", {{"model.raw_log_var", true}, {"stage.--logvar", "raw"}}},
       {"lr",
        "0.01",
        {{"rule.learning_rate", 0.01}, {"rate", Schedule::constant(0.01)}, {"stage.--lr", 0.01}}},
       {"weight-prior", "true", {{"rule.weight_decay", 1.0 / 600}}},  // of 30 labelled and 570 other images
       {"a", "9", {{"model.a", 9}}},
       {"classifier-hidden", "4", {{"model.classifier_hidden", 4}}},
       {"share-a", "true", {{"model.share_a", true}}},
       {"predict-draws", "3", {{"predict_draws", 3}}},
       // iteration i evaluates bounds number 2 i + 1 and 2 i + 2
       {"beta",
        "0.5",
        {{"objective.beta_labeled", "0.005 0.095 0.5 0.5 0.5"}, {"objective.beta", "0.01 0.1 0.5 0.5 0.5"}}},
       {"warmup",
        "400",
        {{"objective.beta_labeled", "0.0025 0.0475 0.5025 1 1"}, {"objective.beta", "0.005 0.05 0.505 1 1"}}},
       {"mc", "2", {{"objective.mc", 2}}},
       {"iw", "3", {{"objective.iw", 3}}},
       {"class-threshold", "0", {{"objective.class_threshold", 0.0}}},
       {"alpha", "examples", {{"objective.alpha", 2}}},  // 0.1 * 600 / 30
       {"alpha-scale", "1", {{"objective.alpha", 11}}},  // 10 + 1 batches per labelled one
       {"batch", "50", {{"batch", 50}, {"objective.alpha", 1.3}, {"stage.--batch", 50}}},  // 0.1 (12 + 1) / 1
       {"batch-labeled", "20", {{"batch_labeled", 20}, {"objective.alpha", 0.6}}},         // 0.1 (10 + 2) / 2
       {"labeled-pixels", "step", {{"redraw_labeled", true}}},
       {"features-run", "/x", {{"stage.given", "/x"}}},
       {"features-epochs", "6", {{"stage.--epochs", 6}}},
       {"features-z", "7", {{"model.features_z", 7}, {"stage.--z", 7}}},
       {"features-hidden", "8,9", {{"model.features_hidden", "8,9"}, {"stage.--hidden", "8,9"}}}});
  test::check_options<Options>(small_stacked, all_of, rows);
}

TEST(Options, OfVae) {
  std::vector<Row> rows = test::common_rows();
  for (Row& row : rows)
    if (row.name == "iters-per-epoch") row.changes.emplace("iters_per_epoch", 50);
  append(rows, shared_rows());
  const Value half = Schedule::constant(0.5);
  append(rows,
         {{"model", "beta", {{"named", "beta"}}},
          {"scaling", "unit", {{"data.inputs", train::Inputs::unit}}},
          {"logvar", "raw", {{"model.raw_log_var", true}}},
          {"lr", "0.01", {{"rule.learning_rate", 0.01}, {"rate", Schedule::constant(0.01)}}},
          {"weight-prior", "true", {{"rule.weight_decay", 0.001}}},
          {"flows", "3", {{"model.flows", 3}}},
          {"flow", "fixed", {{"model.fixed_flow", true}}},
          {"draws", "4", {{"model.draws", 4}}},
          {"gumbel", "fixed", {{"model.fixed_gumbel", true}}},
          {"tau", "2", {{"model.temperature", Schedule::constant(2)}}},
          {"tau-factor", "0.5", {{"model.temperature", "1 1 0.5 0.25 0.0625"}}},
          {"beta", "0.5", {{"objective.beta", half}, {"objective.beta_labeled", half}}},
          {"warmup",
           "200",
           {{"objective.beta", "0.005 0.05 0.505 1 1"}, {"objective.beta_labeled", "0.005 0.095 1 1 1"}}},
          {"batch", "50", {{"batch", 50}}}});
  test::check_options<Options>([] { return small(Tool::vae, "vae"); }, all_of, rows);
}

TEST(Options, AlphaByEveryRule) {
  Options o = small_stacked();
  const auto alpha = [&](const std::string& text) {
    test::set(tool::described(o), {{"alpha", text}});
    return settings_of(o, test::small_data()).objective.alpha;
  };
  EXPECT_DOUBLE_EQ(alpha("batches"), 1.1);
  EXPECT_DOUBLE_EQ(alpha("unlabeled-batches"), 1);
  EXPECT_DOUBLE_EQ(alpha("examples"), 2);
  EXPECT_DOUBLE_EQ(alpha("3.5"), 3.5);
}

nlohmann::json preset(Tool tool, const std::string& model, const std::string& preset) {
  Options o = preset_options(tool, test::choices({{"model", model}, {"preset", preset}}));
  return tool::described(o).config();
}

const nlohmann::json kShared =
    nlohmann::json::parse(R"({"preset": "notebook", "seed": 1, "iters-per-epoch": 938,
  "log-every": 0, "checkpoint-every": 0, "bn": "global", "grad-reduce": "f32", "comm-timeout": 30, "device": "cpu", "threads": 0, "precision": "fp32", "graph": "auto", "data": "auto",
  "classes": 10, "label-offset": 0, "synth-train": 60000, "synth-test": 10000, "synth-seed": 1, "scaling": "auto", "hidden": "256,128", "z": 32,
  "decoder-activation": "relu", "logvar": "softplus", "eps": 1e-8, "ladder": "reference", "beta": 1, "batch": 64,
  "optimizer": "adam", "lr": 3e-4, "lr-factor": 1, "lr-every": 0, "lr-floor": 0, "clip": 0, "clamp": 0,
  "weight-prior": false})");

const nlohmann::json kAdgm =
    with(kShared, R"({"model": "adgm", "epochs": 10, "init": "uniform", "warmup": 200, "a": 32,
  "share-a": false, "predict-draws": 1, "mc": 1, "iw": 1, "alpha": "batches", "alpha-scale": 0.1, "class-threshold": 1e-8, "batch-labeled": 64,
  "labels": 100, "validation": 0, "labeled-pixels": "epoch", "features-epochs": 10, "features-z": 32,
  "features-hidden": "256,128"})");

const nlohmann::json kVae =
    with(kShared, R"({"model": "vae", "epochs": 50, "init": "glorot", "warmup": 0, "flows": 0,
  "flow": "reference", "draws": 10, "gumbel": "reference", "tau": 1, "tau-factor": 1})");

/// The notebook of each model, beside that of the first.
const std::map<std::string, std::string> kAdgmModels{
    {"adgm", R"({})"},
    {"sdgm", R"({"model": "sdgm"})"},
    {"m2", R"({"model": "m2", "init": "glorot", "warmup": 0, "alpha": "unlabeled-batches"})"},
    {"stacked", R"({"model": "stacked", "init": "glorot", "warmup": 0, "alpha": "unlabeled-batches"})"},
    {"ladder", R"({"model": "ladder", "init": "glorot", "hidden": "256,128,64", "z": "64,32,16"})"}};
const std::map<std::string, std::string> kVaeModels{
    {"vae", R"({})"},
    {"flow", R"({"model": "flow", "flows": 16})"},
    {"beta", R"({"model": "beta", "epochs": 251, "iters-per-epoch": 15360, "hidden": "1200,1200", "z": 10,
       "decoder-hidden": "1200,1200,1200", "decoder-activation": "tanh", "beta": 4, "batch": 16, "optimizer": "adagrad",
       "lr": 0.01})"},
    {"ladder", R"({"model": "ladder", "hidden": "256,128,64", "z": "32,16,8", "warmup": 50})"},
    {"gumbel", R"({"model": "gumbel", "z": 10, "tau": 10, "tau-factor": 0.7, "epochs": 25})"}};

const char* const kScript =
    R"({"preset": "script", "epochs": 251, "iters-per-epoch": 600, "seed": 1337, "a": 100, "batch": 100,
  "batch-labeled": 100, "alpha": "unlabeled-batches", "warmup": 240000})";
const char* const kFixed = R"({"preset": "fixed", "logvar": "raw", "eps": 0, "ladder": "fixed"})";
const char* const kPaper =
    R"({"preset": "paper", "epochs": 1000, "seed": 1, "init": "glorot", "share-a": true,
  "labeled-pixels": "step", "alpha": "examples", "warmup": 0, "clip": 5, "clamp": 1, "weight-prior": true, "lr-factor": 0.75,
  "lr-every": 200, "lr-floor": 3e-5})";

TEST(Presets, OfAdgm) {
  for (const auto& [model, patch] : kAdgmModels) {
    SCOPED_TRACE(model);
    const bool ladder = model == "ladder", auxiliary = model == "adgm" || model == "sdgm";
    const auto notebook = with(kAdgm, patch);
    expect_config(preset(Tool::adgm, model, "notebook"), notebook);
    expect_config(preset(Tool::adgm, model, "fixed"), with(notebook, kFixed));
    const auto script = with(with(notebook, kScript), ladder ? R"({"hidden": "128,128,128", "z": "32,16,8"})"
                                                      : auxiliary ? R"({"hidden": "500,500", "z": 100})"
                                                                  : R"({"hidden": "600,600", "z": 50})");
    expect_config(preset(Tool::adgm, model, "script"), script);
    auto paper = with(with(script, kFixed), kPaper);
    if (!ladder) paper = with(paper, R"({"hidden": "500,500", "classifier-hidden": "500,500", "z": 100})");
    if (auxiliary) paper = with(paper, R"({"predict-draws": 100})");
    expect_config(preset(Tool::adgm, model, "paper"), paper);
  }
}

TEST(Presets, OfVae) {
  for (const auto& [model, patch] : kVaeModels) {
    SCOPED_TRACE(model);
    const auto notebook = with(kVae, patch);
    expect_config(preset(Tool::vae, model, "notebook"), notebook);
    expect_config(preset(Tool::vae, model, "fixed"),
                  with(with(notebook, kFixed), R"({"flow": "fixed", "gumbel": "fixed"})"));
  }
}

TEST(Presets, KindsAndPlacesOfModels) {
  const auto kind = [](Tool tool, const char* model) {
    return preset_options(tool, test::choices({{"model", model}})).config().kind;
  };
  EXPECT_EQ(kind(Tool::adgm, "adgm"), Kind::adgm);
  EXPECT_EQ(kind(Tool::adgm, "sdgm"), Kind::sdgm);
  EXPECT_EQ(kind(Tool::adgm, "m2"), Kind::m2);
  EXPECT_EQ(kind(Tool::adgm, "stacked"), Kind::stacked);
  EXPECT_EQ(kind(Tool::adgm, "ladder"), Kind::ladder_m2);
  for (const char* model : {"vae", "flow", "beta"}) EXPECT_EQ(kind(Tool::vae, model), Kind::vae);
  EXPECT_EQ(kind(Tool::vae, "ladder"), Kind::ladder);
  EXPECT_EQ(kind(Tool::vae, "gumbel"), Kind::gumbel);
  EXPECT_EQ(small(Tool::adgm, "m2").run.run, "runs/adgm");
  EXPECT_EQ(small(Tool::vae, "flow").run.run, "runs/vae");
  const std::map<std::string, Value> expected{
      {"model.x_size", 6},         {"model.y_size", 3},
      {"stage.title", "features"}, {"stage.given", ""},
      {"stage.tool", "vae"},       {"stage.--model", "vae"},
      {"stage.--epochs", 10},      {"stage.--hidden", "256,128"},
      {"stage.--z", 32},           {"stage.run", "runs/adgm/features"}};
  const test::Settings stacked = all_of(small_stacked());
  for (const auto& [name, value] : expected) EXPECT_EQ(stacked.values().at(name), value.text) << name;
}

}  // namespace
}  // namespace vae::adgm
