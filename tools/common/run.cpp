#include "tools/common/run.h"

#include <cstdio>

#include "nn/train/benchmark.h"
#include "nn/train/checkpoint.h"

namespace vae::tool {
namespace {

namespace fs = std::filesystem;

}  // namespace

Run::Run(Setup setup)
    : setup_(std::move(setup)),
      device_(prepare_device(options())),
      precision_(options().precision),
      images_(load_images(setup_.options.images, setup_.inputs, device_)) {}

train::Recipe& Run::make_recipe(const data::Split& split) {
  train::Data data = images_.data;
  data.split = fit::items_of(split, device_);
  recipe_ = setup_.make(data, {DType::f32, device_, options().seed});
  return *recipe_;
}

train::Step Run::last_step(const std::string& scope) const {
  return train::last_step(options().seed, iterations_, device_, scope);
}

data::Split Run::prepare_split(const train::RunDirectory& directory,
                               const std::optional<data::StoredSplit>& drawn) const {
  if (!setup_.split) return {};
  if (!drawn) return data::load_split(directory / "split.json", images_.train.labels).split;
  data::save_split(directory / "split.json", drawn->split, drawn->request, images_.train.labels);
  return drawn->split;
}

void Run::load_stage(const fs::path& run) {
  const auto [module, meta] = setup_.stage->part(*recipe_);
  nn::StateDict weights;
  module->add_state(weights);
  train::load_weights(run / train::kCheckpointFile, weights, meta);
}

/// One step of its training, since batch norm has no statistics before.
void Run::start_stage() {
  Run run(setup_.stage->setup(options()));
  train::Task(run.make_recipe(), options().task()).step();
  nn::StateDict from, to;
  run.recipe_->model().add_state(from);
  setup_.stage->part(*recipe_).module->add_state(to);
  for (const auto& [name, tensor] : to.entries()) tensor.copy_from(*from.find(name));
}

void Run::train_stage(const train::RunDirectory& directory) {
  const Stage& stage = *setup_.stage;
  RunOptions below = options().below(stage.folder);
  below.fresh = !below.resume;
  Run run(stage.setup(below));
  fmt::print("{}: {} epochs\n", stage.title, run.options().epochs);
  run.train();
  load_stage(directory / stage.folder);
}

void Run::train() {
  // Whatever can be wrong with the input of a new run shows before there is a directory.
  const bool resumed = options().mode() == train::RunDirectory::Mode::resume;
  std::optional<data::StoredSplit> drawn;
  if (setup_.split && !resumed) drawn = new_split(*setup_.split, options().seed, images_.train);
  const bool given = setup_.stage && !setup_.stage->given.empty();
  const auto make = [&](const data::Split& split) {
    make_recipe(split);
    if (given) load_stage(setup_.stage->given);
  };
  if (!resumed) make(drawn ? drawn->split : data::Split{});

  const train::RunDirectory directory = options().directory();
  if (resumed) setup_.table.check_resumed(directory.read_config());
  const data::Split split = prepare_split(directory, drawn);
  if (resumed) make(split);
  directory.write_config(setup_.table.config());
  if (setup_.stage && !given) train_stage(directory);
  const auto task = options().task(setup_.split ? data::split_hash(split) : "");
  const train::LoopResult result = fit::train_recipe(*recipe_, directory, task, options().loop());
  iterations_ = result.iterations;
  const nn::TestMode test(recipe_->model());
  const report::Summary summary = summarize(result.last);
  score_ = {summary.score, summary.results.value(summary.score, 0.0)};
  fit::write_outcome(directory.path(), summary, result, setup_.table.config(), images_);
}

void Run::benchmark() {
  const auto drawn =
      setup_.split ? new_split(*setup_.split, options().seed, images_.train) : data::StoredSplit{};
  make_recipe(drawn.split);
  if (setup_.stage) setup_.stage->given.empty() ? start_stage() : load_stage(setup_.stage->given);
  train::Task task(*recipe_, options().task());
  fmt::print("{}\n", train::benchmark(task, device_, options().benchmark).dump());
}

report::Summary Run::summarize(const train::Scalars& metrics) const {
  return fit::summarize(*recipe_, metrics, last_step());
}

void Run::load() {
  data::Split split;
  std::string without;  // other images than those of the training may be looked at
  if (setup_.split) try {
      split = data::load_split(folder() / "split.json", images_.train.labels).split;
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::data) throw;
      without = e.what();
    }
  make_recipe(split);
  iterations_ = train::load_weights(*recipe_, folder() / train::kCheckpointFile);
  if (!without.empty()) fmt::print(stderr, "without the split of the run: {}\n", without);
  recipe_->model().set_training(false);
}

void Run::test(int64_t nll_samples) {
  const report::Summary summary = summarize(recipe_->evaluate(last_step("evaluate")));
  for (const std::string& line : summary.lines) fmt::print("{}\n", line);
  if (summary.confusion) fmt::print("{}", summary.confusion->text());
  if (nll_samples == 0) return;
  fmt::print("-log p(x) {:.3f} nats per image ({} importance samples)\n",
             recipe_->nll(nll_samples, last_step()), nll_samples);
}

void Run::write_pictures() {
  for (const report::NamedPicture& picture : summarize({}).pictures) write(picture.name, picture.make());
}

}  // namespace vae::tool
