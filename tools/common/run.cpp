#include "tools/common/run.h"

#include "nn/train/benchmark.h"
#include "nn/train/checkpoint.h"
#include "nn/train/memory.h"
#include "nn/train/torch_weights.h"
#include "tensor/print.h"
#include "tools/common/ranks.h"
#include "tools/common/version.h"

namespace vae::tool {

namespace fs = std::filesystem;

void check_normalized(const std::string& option, int64_t batch, int64_t images) {
  if (std::min(batch, images) == 1)
    fail(ErrorKind::usage, "--{} {}, of {} images: batch norm needs two or more images in a batch", option,
         batch, images);
}

void check_some(const std::string& option, int64_t images) {
  if (images == 0) fail(ErrorKind::usage, "--{}: the split leaves no images for it", option);
}

Run::Run(Setup setup)
    : setup_(std::move(setup)),
      device_(prepare_device(options())),
      precision_(options().precision),
      images_(load_images(setup_.options.images, setup_.inputs, device_)) {}

train::Data Run::data_of(const data::Split& split) const {
  train::Data data = images_.data;
  data.split = fit::items_of(split, device_);
  return data;
}

train::Recipe& Run::make_recipe(const data::Split& split) {
  const train::Data data = data_of(split);
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
  parallel::current().on_first([&] {
    data::save_split(directory.claim("split.json"), drawn->split, drawn->request, images_.train.labels);
  });
  return drawn->split;
}

nlohmann::json Run::identity_of_images() const {
  const auto [train, test, names] = kImageKeys;
  nlohmann::json identity{{train, images_.train.sha256}, {test, images_.test.sha256}};
  if (!images_.train.class_names.empty()) identity[names] = images_.train.class_names;
  return identity;
}

void Run::check_resumed(const train::RunDirectory& directory, const OptionTable& table) const {
  const nlohmann::json stored = directory.read_config(), identity = identity_of_images();
  table.check_resumed(stored);
  for (const auto& [key, here] : identity.items())
    if (stored.contains(key) && stored[key] != here)
      fail(ErrorKind::data, "--resume: these are not the images of the run: {} is {}, there {}", key,
           text_of(here), text_of(stored[key]));
}

void Run::write_config(const train::RunDirectory& directory, const OptionTable& table) const {
  nlohmann::ordered_json config = table.config();
  config.update(identity_of_images());
  directory.write_config(config);
}

void Run::load_stage(const fs::path& run) {
  if (const fs::path config = run / "config.json"; fs::exists(config))
    check_tool(read_config(config), config.string(), setup_.stage->tool);
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
  parallel::current().on_first([&] { train::claim_folder(directory.path(), stage.folder); });
  Run run(stage.setup(options().below(stage.folder)));
  say("{}: {} epochs\n", stage.title, run.options().epochs);
  run.train();
  load_stage(directory / stage.folder);
}

std::vector<report::Fact> Run::origin() const {
  std::vector<report::Fact> facts = version_facts();
  facts.push_back(
      {"to repeat it", fmt::format("{} train --config {} --run DIRECTORY", setup_.options.tool_name,
                                   (options().run / "config.json").string())});
  return facts;
}

void Run::train() {
  note_slow_products(options());
  check_same_on_ranks(identity_of_images());
  // Whatever can be wrong with the input of a new run shows before there is a directory.
  const bool resumed = options().mode() == train::RunDirectory::Mode::resume;
  std::optional<data::StoredSplit> drawn;
  if (setup_.split && !resumed) drawn = new_split(*setup_.split, options().seed, images_.train);
  const bool given = setup_.stage && !setup_.stage->given.empty();
  const auto make = [&](const data::Split& split) {
    setup_.check_training(data_of(split));
    make_recipe(split);
    if (given) load_stage(setup_.stage->given);
    train::check_memory(*recipe_);
  };
  if (!resumed) make(drawn ? drawn->split : data::Split{});

  const train::RunDirectory directory = options().directory();
  if (resumed) check_resumed(directory, setup_.table);
  const data::Split split = prepare_split(directory, drawn);
  if (resumed) make(split);
  write_config(directory, setup_.table);  // last: from here on there is a run to resume
  if (setup_.stage && !given) train_stage(directory);
  const auto task = options().task(setup_.split ? data::split_hash(split) : "");
  const train::LoopResult result = fit::train_recipe(*recipe_, directory, task, options().loop());
  iterations_ = result.iterations;
  const nn::TestMode test(recipe_->model());
  parallel::current().on_first([&] {
    const report::Summary summary = summarize(result.last);
    score_ = fit::score_of(summary);
    fit::write_outcome(directory.path(), summary, result, setup_.table.config(), images_, origin());
  });
  const Tensor score = Tensor::scalar(score_.value);
  parallel::current().broadcast(score);
  score_.value = score.item();
}

std::unique_ptr<train::Task> Run::task_of(const data::Split& split) {
  note_slow_products(options());
  setup_.check_training(data_of(split));
  make_recipe(split);
  return std::make_unique<train::Task>(*recipe_, options().task(setup_.split ? data::split_hash(split) : ""));
}

std::unique_ptr<train::Task> Run::new_task() {
  const auto drawn =
      setup_.split ? new_split(*setup_.split, options().seed, images_.train) : data::StoredSplit{};
  auto task = task_of(drawn.split);
  if (setup_.stage) setup_.stage->given.empty() ? start_stage() : load_stage(setup_.stage->given);
  return task;
}

void Run::benchmark() {
  std::optional<train::RunDirectory> directory;
  std::unique_ptr<train::Task> task;
  if (options().resume) {
    check_resumed(directory.emplace(options().directory()), setup_.table);
    task = task_of(prepare_split(*directory, {}));
    train::load_checkpoint(*directory / train::kCheckpointFile, task->state(), task->meta());
  } else {
    task = new_task();
  }
  say("{}\n", train::benchmark(*task, device_, options().benchmark).dump());
}

void Run::import(const SafeTensors& state) {
  std::optional<data::StoredSplit> drawn;
  if (setup_.split) drawn = new_split(*setup_.split, options().seed, images_.train);
  train::Recipe& recipe = make_recipe(drawn ? drawn->split : data::Split{});
  train::import_weights(recipe.model(), state);
  const train::RunDirectory directory = options().directory();
  const data::Split split = prepare_split(directory, drawn);
  write_config(directory, setup_.table);
  train::Task task(recipe, options().task(setup_.split ? data::split_hash(split) : ""));
  nlohmann::json meta = task.meta();
  const int64_t per_epoch = options().iters_per_epoch;
  meta["loop"] = {{"iteration", 0}, {"iters_per_epoch", per_epoch > 0 ? per_epoch : recipe.steps_per_pass()}};
  train::save_checkpoint(directory.claim(train::kCheckpointFile), task.state(), meta);
  recipe.model().set_training(false);
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
  iterations_ = train::load_weights(*recipe_, folder(), options().weights);
  if (!without.empty()) note("without the split of the run: {}\n", without);
  recipe_->model().set_training(false);
}

void Run::test(int64_t nll_samples) {
  if (options().weights == train::Weights::best) say("weights of iteration {}\n", iterations_);
  const report::Summary summary = summarize(recipe_->evaluate(last_step("evaluate")));
  fit::print(summary);
  if (summary.confusion) say("{}", summary.confusion->text());
  if (nll_samples == 0) return;
  say("-log p(x) {:.3f} nats per image ({} importance samples)\n", recipe_->nll(nll_samples, last_step()),
      nll_samples);
}

void Run::write_pictures() {
  const report::Summary summary = summarize({});
  fit::print_left_out(summary);
  fit::write_pictures(folder(), summary).check();
}

}  // namespace vae::tool
