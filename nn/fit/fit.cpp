#include "nn/fit/fit.h"

#include <set>

#include "autograd/ops.h"
#include "nn/fit/fit_recipe.h"
#include "nn/fit/outcome.h"
#include "nn/init.h"
#include "nn/train/checkpoint.h"
#include "tensor/parallel.h"

namespace vae::fit {
namespace {

nlohmann::ordered_json config_of(const FitOptions& o, const Images& images, uint64_t seed) {
  return {{"data", o.data},
          {"train_sha256", images.train.sha256},
          {"test_sha256", images.test.sha256},
          {"inputs", static_cast<int>(o.inputs)},
          {"seed", seed},
          {"epochs", o.epochs},
          {"iters_per_epoch", o.iters_per_epoch},
          {"batch", o.batch},
          {"labels", o.labels},
          {"learning_rate", o.learning_rate},
          {"log_every", o.log_every}};
}

/// Names are those of files.
void check(const std::vector<Picture>& pictures) {
  std::set<std::string> names;
  for (const Picture& picture : pictures) {
    if (picture.name.empty() || picture.name.find('/') != std::string::npos || picture.name.front() == '.')
      fail(ErrorKind::usage, "Fit: a picture cannot be named '{}', it is a file of the run", picture.name);
    if (!names.insert(picture.name).second) fail(ErrorKind::usage, "Fit: two pictures '{}'", picture.name);
    if (!picture.images) fail(ErrorKind::usage, "Fit: picture '{}' has no function", picture.name);
  }
}

/// A run goes on as it began; it may become longer.
void check_resumed(const train::RunDirectory& directory, const nlohmann::json& config) {
  const nlohmann::json stored = directory.read_config();
  for (const auto& [name, value] : config.items())
    if (name != "epochs" && stored.value(name, nlohmann::json()) != value)
      fail(ErrorKind::usage, "{}: the run that is there has {} {}, not {}: name another directory",
           directory.path().string(), name, stored.value(name, nlohmann::json()).dump(), value.dump());
}

Fit::Loss of_images(Fit::ImageLoss loss) {
  return [loss = std::move(loss)](const Batch& batch, const Step& step) { return loss(batch.x, step); };
}

}  // namespace

struct Fit::State {
  nn::Module& net;
  FitOptions options;
  Images images;
  data::Split split;
  FitRecipe recipe;

  State(nn::Module& module, Loss loss, const FitOptions& o)
      : net(module),
        options(o),
        images(load(o, module)),
        split(draw(o, images, module.options().seed)),
        recipe(module, std::move(loss), o, with_split()) {}

  static Images load(const FitOptions& o, nn::Module& net) {
    if (o.run.empty()) fail(ErrorKind::usage, "Fit: name a directory for the run (FitOptions::run)");
    if (!(o.learning_rate > 0) || o.batch < 1 || o.labels < 0 || o.iters_per_epoch < 0)
      fail(ErrorKind::usage,
           "Fit: cannot train at rate {} with batches of {}, {} labels, epochs of {} iterations",
           o.learning_rate, o.batch, o.labels, o.iters_per_epoch);
    if (net.options().dtype != DType::f32)
      fail(ErrorKind::usage, "Fit trains in f32, the module is {}", name_of(net.options().dtype));
    set_num_threads(o.threads);
    nn::init_where_zero(net);
    data::DatasetOptions wanted{.name = o.data, .data_dir = o.data_dir};
    wanted.format.channels = o.channels;
    return load_images(wanted, o.inputs, net.options().device);
  }

  static data::Split draw(const FitOptions& o, const Images& images, uint64_t seed) {
    if (o.labels == 0) return {};
    return data::draw_split(images.train.labels, {.num_labeled = o.labels,
                                                  .num_validation = 0,
                                                  .num_classes = images.train.num_classes,
                                                  .seed = seed,
                                                  .class_names = images.train.class_names});
  }

  train::Data with_split() const {
    train::Data data = images.data;
    if (options.labels > 0) data.split = items_of(split, net.options().device);
    return data;
  }
};

Fit::Fit(nn::Module& net, Loss loss, FitOptions options)
    : state_(std::make_unique<State>(net, std::move(loss), options)) {}

Fit::Fit(nn::Module& net, ImageLoss loss, FitOptions options)
    : Fit(net, of_images(std::move(loss)), std::move(options)) {}

Fit::~Fit() = default;

void Fit::run(const std::vector<Picture>& pictures) {
  check(pictures);
  const FitOptions& o = state_->options;
  const uint64_t seed = state_->net.options().seed;
  const nlohmann::ordered_json config = config_of(o, state_->images, seed);
  using Mode = train::RunDirectory::Mode;
  const bool begun = std::filesystem::exists(o.run / "config.json");
  const train::RunDirectory directory(o.run, begun ? Mode::resume : Mode::create);
  if (begun) check_resumed(directory, config);
  directory.write_config(config);
  state_->net.set_training(true);
  const train::LoopResult result = train_recipe(state_->recipe, directory, {.seed = seed},
                                                {.epochs = o.epochs,
                                                 .iters_per_epoch = o.iters_per_epoch,
                                                 .log_every = o.log_every,
                                                 .checkpoint_every = o.checkpoint_every,
                                                 .quiet = o.quiet});
  state_->net.set_training(false);
  state_->recipe.show(pictures);
  const train::Step last = train::last_step(seed, result.iterations, state_->net.options().device, "");
  write_outcome(o.run, summarize(state_->recipe, result.last, last), result, config, state_->images);
}

void save_weights(const nn::Module& module, const std::filesystem::path& path) {
  nn::StateDict state;
  module.add_state(state);
  train::save_checkpoint(path, state, nlohmann::json::object());
}

void load_weights(nn::Module& module, const std::filesystem::path& path) {
  nn::StateDict state;
  module.add_state(state);
  train::load_weights(path, state, nlohmann::json::object());
}

Var accuracy(const Var& logits, const Tensor& labels) {
  const int64_t classes = logits.shape()[-1];
  const Var predicted(train::one_hot(train::most_probable(logits.value()), classes, logits.value().dtype()));
  const Var actual(train::one_hot(labels, classes, logits.value().dtype()));
  return (1.0 / static_cast<double>(labels.numel())) * autograd::sum(predicted * actual);
}

}  // namespace vae::fit
