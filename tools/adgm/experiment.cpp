#include "tools/adgm/experiment.h"

#include "models/adgm/m2.h"
#include "models/adgm/vae.h"
#include "nn/train/benchmark.h"
#include "nn/train/checkpoint.h"
#include "tools/adgm/pictures.h"
#include "tools/common/config_file.h"
#include "tools/common/run_report.h"

namespace vae::adgm_tools {
namespace {

namespace fs = std::filesystem;
namespace adgm = models::adgm;

/// The VAE below the stacked model as a run of its own in the sub-directory features, which the tool vae
/// understands.
Options features_stage(const Options& options) {
  Options stage = preset_options(Tool::vae, "vae", "notebook");
  stage.run = options.run;
  stage.run.run = options.run.run / "features";
  stage.run.epochs = options.features_epochs;
  stage.images = options.images;
  stage.z = std::to_string(options.features_z);
  stage.hidden = options.features_hidden;
  stage.log_var = options.log_var;
  stage.batch = options.batch;
  stage.learning_rate = options.learning_rate;
  return stage;
}

nlohmann::ordered_json features_config(Options stage) {
  CLI::App command;
  add_train_options(command, Tool::vae, stage);
  return resolved_config(command);
}

}  // namespace

Experiment::Experiment(Tool tool, const Options& options)
    : tool_(tool),
      options_(options),
      device_(prepare_device(options.run)),
      images_(load_images(options.images, "grey", device_)),
      model_(adgm::make_model(options.config(tool, images_.train_set.image_size(), images_.train.num_classes),
                              {DType::f32, device_, options.run.seed})) {}

std::unique_ptr<adgm::Task> Experiment::make_task(const std::optional<data::Split>& split) {
  if (!split)
    return std::make_unique<adgm::UnsupervisedTask>(*model_, train_set(), test_set(),
                                                    options_.task(0, images_.train.size()));
  std::vector<int64_t> all = split->labeled;  // the bound of unlabelled images takes all
  all.insert(all.end(), split->unlabeled.begin(), split->unlabeled.end());
  adgm::TaskOptions task =
      options_.task(static_cast<int64_t>(split->labeled.size()), static_cast<int64_t>(all.size()));
  task.split_id = data::split_hash(*split);
  return std::make_unique<adgm::SemiTask>(
      *model_, train_set(),
      models::SplitItems{models::items_of(split->labeled, device_), models::items_of(all, device_),
                         models::items_of(split->validation, device_)},
      test_set(), task);
}

std::optional<data::StoredSplit> Experiment::new_run_split() const {
  if (!semi()) return {};
  return new_split(options_.split_file,
                   {.num_labeled = options_.labels,
                    .num_validation = options_.validation,
                    .num_classes = images_.train.num_classes,
                    .seed = options_.run.seed},
                   images_.train);
}

std::optional<data::Split> Experiment::prepare_split(const train::RunDirectory& directory,
                                                     const std::optional<data::StoredSplit>& drawn) {
  if (!semi()) return {};
  const fs::path file = directory / "split.json";
  if (directory.resumed()) return data::load_split(file, images_.train.labels).split;
  data::save_split(file, drawn->split, drawn->request, images_.train.labels);
  return drawn->split;
}

int Experiment::train_features(const train::RunDirectory& directory) {
  Options stage = features_stage(options_);
  stage.run.resume = directory.resumed() && fs::exists(directory / "features" / "config.json");
  stage.run.fresh = !stage.run.resume;
  fmt::print("features: {} epochs\n", stage.run.epochs);
  return Experiment(Tool::vae, stage).train(features_config(stage));
}

void Experiment::load_features(const fs::path& run) {
  adgm::Vae& features = *dynamic_cast<adgm::M2&>(*model_).features();
  train::StateDict weights;
  weights.meta = features.meta();
  features.add_state(weights);
  train::load_weights(run / train::kCheckpointFile, weights);
}

int Experiment::train(const nlohmann::ordered_json& config) {
  // Whatever can be wrong with the input of a new run shows before there is a directory.
  std::optional<data::StoredSplit> drawn;
  if (options_.run.mode() != train::RunDirectory::Mode::resume) drawn = new_run_split();
  if (drawn) options_.alpha_of(options_.labels, images_.train.size());
  const bool stacked = options_.model == "stacked", given = stacked && !options_.features_run.empty();
  if (given) load_features(options_.features_run);

  const train::RunDirectory directory(options_.run.run, options_.run.mode());
  if (directory.resumed()) check_resumed_config(directory.read_config(), config);
  const std::optional<data::Split> split = prepare_split(directory, drawn);
  directory.write_config(config);
  if (stacked && !given) {
    if (const int code = train_features(directory); code != 0) return code;
    load_features(directory / "features");
  }
  const auto task = make_task(split);
  const train::LoopResult result = train::run_loop(*task, directory, options_.run.loop());
  if (result.interrupted) return 130;
  finish(directory, result, config);
  return 0;
}

void Experiment::benchmark() {
  const auto drawn = new_run_split();
  const auto task = make_task(drawn ? std::optional(drawn->split) : std::nullopt);
  fmt::print("{}\n", train::benchmark(*task, device_, options_.run.benchmark).dump());
}

std::vector<int64_t> Experiment::predict_test() {
  const auto predictions =
      adgm::predict(*model_, test_set(), models::item_range(0, images_.test.size(), device_),
                    options_.predict_draws, options_.run.seed);
  test_result_ = models::accuracy(predictions, images_.test.labels.to_vector<int64_t>());
  fmt::print("test accuracy {:.4f} on {} images of {}\n", test_result_, images_.test.size(),
             images_.test.name);
  return predictions;
}

void Experiment::finish(const train::RunDirectory& directory, const train::LoopResult& result,
                        const nlohmann::ordered_json& config) {
  RunSummary summary{.title = (semi() ? "ADGM family: " : "VAE family: ") + options_.model,
                     .results = nlohmann::ordered_json::object(),
                     .headline = {},
                     .charts = {{"Loss", "nats per image", {"loss", "valid_loss", "test_loss"}}},
                     .pictures = kPictures,
                     .confusion = {}};
  for (const train::Scalar& metric : result.last) summary.results[metric.name] = metric.value;
  if (semi()) {
    const std::vector<int64_t> predictions = predict_test();
    summary.results["test_accuracy"] = test_result_;
    summary.headline.push_back({"test accuracy", fmt::format("{:.2f} %", 100 * test_result_)});
    summary.charts.push_back(
        {"Bounds",
         "nats per image",
         {"loss_labeled", "loss_unlabeled", "test_loss_labeled", "test_loss_unlabeled"}});
    summary.charts.push_back(
        {"Classification loss", "nats per image", {"loss_classifier", "test_loss_classifier"}});
    summary.charts.push_back(
        {"Accuracy", "share of right predictions", {"labeled_accuracy", "valid_accuracy", "test_accuracy"}});
    summary.confusion =
        report::Confusion(images_.test.labels.to_vector<int64_t>(), predictions, images_.test.num_classes);
  } else {
    test_result_ = summary.results.value("test_loss", 0.0);
    fmt::print("test loss {:.3f} nats per image\n", test_result_);
    summary.headline.push_back({"test loss, nats", fmt::format("{:.2f}", test_result_)});
  }
  sample();
  if (!semi()) interpolate();
  write_report(directory.path(), summary, config, images_, result, options_.run);
  fmt::print("report: {}\n", (directory / "report.html").string());
}

void Experiment::load() {
  train::StateDict weights;
  weights.meta = model_->meta();
  model_->add_weights(weights);
  train::load_weights(options_.run.run / train::kCheckpointFile, weights);
}

void Experiment::test() {
  const Tensor items = models::item_range(0, images_.test.size(), device_);
  if (semi()) {
    const std::vector<int64_t> predictions = predict_test();
    fmt::print("{}", report::Confusion(images_.test.labels.to_vector<int64_t>(), predictions,
                                       images_.test.num_classes)
                         .text());
  } else {
    fmt::print("test loss {:.3f} nats per image\n", make_task({})->evaluate().at(0).value);
  }
  if (options_.nll > 0)
    fmt::print("-log p(x) {:.3f} nats per image ({} importance samples{})\n",
               adgm::importance_nll(*model_, test_set(), items, options_.nll, options_.run.seed),
               options_.nll, semi() ? " per class" : "");
  for (const adgm::ActiveUnits& units : adgm::active_units(*model_, test_set(), items, options_.run.seed))
    fmt::print("active units of {}: {} of {}\n", units.layer, units.active, units.all);
}

Tensor Experiment::test_inputs(const Tensor& items, const char* stream) const {
  return test_set().gather(items, RandomKey::named(options_.run.seed, stream),
                           Tensor::scalar(int64_t{0}, device_));
}

void Experiment::sample() {
  const auto key = [&](const char* stream) { return RandomKey::named(options_.run.seed, stream); };
  const Tensor shown = models::random_items(images_.test_set, 1000, key("pictures"));
  const Tensor x = test_inputs(shown, "pictures/pixels");
  const PictureContext context{*model_, options_.run.run, images_.test.images.shape(), options_.run.seed};
  const auto labels = images_.test_set.gather_labels(shown).to_vector<int64_t>();
  write_reconstructions(context, x, labels);
  write_samples(context, options_.digit);
  if (semi()) write_analogies(context, x.slice(0, std::min<int64_t>(10, x.size(0))));
  if (!semi()) write_traversals(context, x.slice(0, 1), options_.span);
}

void Experiment::interpolate() {
  const PictureContext context{*model_, options_.run.run, images_.test.images.shape(), options_.run.seed};
  const Tensor pairs =
      models::random_items(images_.test_set, 20, RandomKey::named(options_.run.seed, "interpolate"));
  write_interpolations(context, test_inputs(pairs, "interpolate/pixels"));
}

}  // namespace vae::adgm_tools
