#include "tests/tools/settings.h"

#include <set>

namespace vae::test {

void expect_changes(const Settings& before, const Settings& after, const Expected& expected,
                    const std::string& what) {
  std::map<std::string, std::string> wanted = before.values();
  for (const auto& [name, value] : expected) {
    ASSERT_TRUE(wanted.contains(name)) << what << ": nothing is called " << name;
    EXPECT_NE(wanted.at(name), value.text) << what << ": " << name << " is that already";
    wanted.at(name) = value.text;
  }
  ASSERT_EQ(wanted.size(), after.values().size()) << what;
  for (const auto& [name, value] : after.values())
    EXPECT_EQ(value, wanted.at(name)) << what << " and " << name;
}

void add_run(Settings& s, const tool::CommonOptions& o, train::Inputs inputs) {
  s.add("preset", o.preset);
  const train::LoopOptions loop = o.run.loop();
  s.add("loop.epochs", loop.epochs);
  s.add("loop.iters_per_epoch", loop.iters_per_epoch);
  s.add("loop.log_every", loop.log_every);
  s.add("loop.checkpoint_every", loop.checkpoint_every);
  s.add("loop.quiet", loop.quiet);
  const train::Task::Options task = o.run.task("split");
  s.add("task.seed", task.seed);
  s.add("task.graph", task.graph);
  s.add("task.precision", task.precision);
  s.add("task.grad_reduce", task.grad_reduce);
  s.add("task.split", task.split);
  s.add("statistics", o.run.statistics);
  s.add("comm_timeout", o.run.comm_timeout);
  s.add("mode", o.run.mode());
  s.add("run", o.run.run.string());
  s.add("config", o.run.config.string());
  s.add("seeds", o.run.seeds);
  s.add("benchmark", o.run.benchmark);
  s.add("device", o.run.device.str());
  s.add("threads", o.run.threads);
  const data::DatasetOptions& data = o.images.data;
  s.add("data.name", o.images.dataset);
  s.add("data.data_dir", data.data_dir.string());
  s.add("data.num_classes", data.num_classes);
  s.add("data.label_offset", data.label_offset);
  s.add("data.channels", data.format.channels.value_or(0));
  s.add("data.background", int{data.format.background});
  s.add("data.transpose", data.transpose);
  s.add("data.synth_train", data.synth_train);
  s.add("data.synth_test", data.synth_test);
  s.add("data.synth_seed", data.synth_seed);
  const data::ImageSize size = o.images.resize.value_or(data::ImageSize{});
  s.add("data.resize", fmt::format("{}x{}", size.height, size.width));
  s.add("data.inputs", o.images.scaling.value_or(inputs));
}

void add_split(Settings& s, const tool::SplitOptions& o, uint64_t seed) {
  s.add("split.file", o.file.string());
  if (!o.file.empty()) return s.add("split.request", "of the file");
  data::Dataset set;
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < 20000; ++i) labels.push_back(i % 3);
  set.labels = Tensor::from(labels, {static_cast<int64_t>(labels.size())}, kCpu);
  set.num_classes = 3;
  tool::SplitOptions multiple = o;
  multiple.labels -= o.labels % 3;  // the defaults are for ten classes
  const data::SplitRequest request = new_split(multiple, seed, set).request;
  const char* rule = data::kSplitRules[static_cast<size_t>(request.rule)].first;
  s.add("split.request", fmt::format("{} labelled, {} held out, seed {}, {}", request.num_labeled,
                                     request.num_validation, request.seed, rule));
}

void add_stage(Settings& s, const tool::Stage& stage, const tool::CommonOptions& above) {
  s.add("title", stage.title);
  s.add("folder", stage.folder);
  s.add("given", stage.given.string());
  const tool::Setup setup = stage.setup(above.run.below(stage.folder));
  s.add("run", setup.options.run.run.string());
  s.add("quiet", setup.options.run.quiet);
  s.add("tool", setup.table.tool());
  s.add("inputs", setup.options.images.scaling.value_or(setup.inputs));
  for (const tool::Option& option : setup.table.options())
    if (option.is_stored) s.add("--" + option.name, option.print());
}

void add_clip(Settings& s, const nn::Clip& clip) {
  s.add("clip.norm", clip.norm);
  s.add("clip.element", clip.element);
}

void add_adam(Settings& s, const nn::Adam::Settings& adam) {
  const auto& [rate, rule, clip] = adam;
  const auto& [beta1, beta2, eps, weight_decay, form] = rule;
  s.add("adam.learning_rate", rate);
  s.add("adam.beta1", beta1);
  s.add("adam.beta2", beta2);
  s.add("adam.eps", eps);
  s.add("adam.weight_decay", weight_decay);
  s.add("adam.form", form);
  add_clip(s, clip);
}

train::Data small_data() {
  const train::ImageSet images{Tensor::zeros({1000, 2, 3, 1}, DType::u8, kCpu),
                               Tensor::zeros({1000}, DType::i64, kCpu)};
  return {.train = images,
          .test = images,
          .classes = 3,
          .split = {train::item_range(0, 30, kCpu), train::item_range(30, 600, kCpu),
                    train::item_range(600, 1000, kCpu)}};
}

std::vector<Row> common_rows(const std::string& stage, bool split) {
  using Mode = train::RunDirectory::Mode;
  std::vector<Row> rows{{"run", "a/b", {{"run", "a/b"}}},
                        {"config", "c.json", {{"config", "c.json"}}},
                        {"resume", "true", {{"mode", Mode::resume}}},
                        {"fresh", "true", {{"mode", Mode::fresh}}},
                        {"seed", "7", {{"task.seed", 7}}},
                        {"seeds", "4,5", {{"seeds", "4,5"}}},
                        {"epochs", "6", {{"loop.epochs", 6}}},
                        {"iters-per-epoch", "50", {{"loop.iters_per_epoch", 50}}},
                        {"log-every", "3", {{"loop.log_every", 3}}},
                        {"checkpoint-every", "8", {{"loop.checkpoint_every", 8}}},
                        {"benchmark", "9", {{"benchmark", 9}}},
                        {"quiet", "true", {{"loop.quiet", true}}},
                        {"device", "cuda:1", {{"device", "cuda:1"}}},
                        {"threads", "2", {{"threads", 2}}},
                        {"precision", "bf16", {{"task.precision", kernels::Precision::bf16}}},
                        {"graph", "off", {{"task.graph", GraphMode::off}}},
                        {"bn", "local", {{"statistics", parallel::Statistics::local}}},
                        {"grad-reduce", "f64", {{"task.grad_reduce", DType::f64}}},
                        {"comm-timeout", "2.5", {{"comm_timeout", 2.5}}},
                        {"data", "idx", {{"data.name", "idx"}}},
                        {"data-dir", "/here", {{"data.data_dir", "/here"}}},
                        {"classes", "5", {{"data.num_classes", 5}}},
                        {"label-offset", "1", {{"data.label_offset", 1}}},
                        {"resize", "32x24", {{"data.resize", "32x24"}}},
                        {"channels", "3", {{"data.channels", 3}}},
                        {"background", "black", {{"data.background", 0}}},
                        {"transpose", "true", {{"data.transpose", true}}},
                        {"synth-train", "44", {{"data.synth_train", 44}}},
                        {"synth-test", "33", {{"data.synth_test", 33}}},
                        {"synth-seed", "22", {{"data.synth_seed", 22}}}};
  // A stage has all from the run above it but its length.
  const std::set<std::string> not_of_stage{"config", "resume",          "fresh",    "seeds",
                                           "epochs", "iters-per-epoch", "benchmark"};
  for (Row& row : rows) {
    if (split && row.name == "seed")
      row.changes.emplace("split.request", "30 labelled, 1000 held out, seed 7, disjoint");
    if (stage.empty() || not_of_stage.contains(row.name)) continue;
    if (row.name == "run")
      row.changes.emplace("stage.run", "a/b/" + stage);
    else
      row.changes.emplace(row.name == "quiet" ? "stage.quiet" : "stage.--" + row.name, row.text);
  }
  if (split) {
    rows.push_back({"labels", "60", {{"split.request", "60 labelled, 1000 held out, seed 1, disjoint"}}});
    rows.push_back({"validation", "50", {{"split.request", "30 labelled, 50 held out, seed 1, disjoint"}}});
    rows.push_back({"split-rule",
                    "shot",
                    {{"split.request", "30 labelled, 999 held out, seed 1, shot"}},
                    {{"validation", "999"}}});
    rows.push_back({"split-file", "/s.json", {{"split.file", "/s.json"}, {"split.request", "of the file"}}});
  }
  return rows;
}

nlohmann::json with(nlohmann::json config, const std::string& patch) {
  config.merge_patch(nlohmann::json::parse(patch));
  return config;
}

void expect_config(const nlohmann::json& config, const nlohmann::json& expected) {
  EXPECT_EQ(nlohmann::json::diff(expected, config).dump(), "[]") << config.value("preset", "");
}

bool is_free(const std::string& name) {
  // How long, where and how a run is carried out.
  static const std::set<std::string> free{"class-threshold", "epochs",    "seeds",       "checkpoint-every",
                                          "device",          "threads",   "data-dir",    "graph",
                                          "comm-timeout",    "lr-epochs", "m1-lr-epochs"};
  return free.contains(name);
}

bool is_of_call(const std::string& name) {
  static const std::set<std::string> of_call{"run",       "config", "resume", "fresh",
                                             "benchmark", "quiet",  "load"};
  return of_call.contains(name);
}

}  // namespace vae::test
