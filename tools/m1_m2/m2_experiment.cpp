#include "nn/train/benchmark.h"
#include "nn/train/checkpoint.h"
#include "nn/train/replayed.h"
#include "tools/common/config_file.h"
#include "tools/common/pictures.h"
#include "tools/common/run_report.h"
#include "tools/m1_m2/experiment.h"

namespace vae {
namespace {

/// Options of the M1 below M2 as a run of its own in the sub-directory m1, which the tool m1 understands.
Options m1_stage(const Options& options) {
  Options stage = options;
  stage.run.run = options.run.run / "m1";
  stage.run.epochs = options.m1_epochs;
  stage.run.iters_per_epoch = options.m1_iters_per_epoch;
  return stage;
}

nlohmann::ordered_json m1_config(Options stage) {
  CLI::App command;
  add_train_options(command, Tool::m1, stage);
  return resolved_config(command);
}

}  // namespace

M2Experiment::M2Experiment(const Options& options, Tool tool)
    : options_(options),
      tool_(tool),
      device_(prepare_device(options.run)),
      images_(load_images(options.images, tool == Tool::m1_m2 ? options.m1.decoder : options.m2.decoder,
                          device_)),
      model_(options.m2.m2(tool == Tool::m1_m2 ? options.m1.z : images_.train_set.image_size(),
                           images_.train.num_classes),
             {DType::f32, device_, options.run.seed}) {
  if (tool == Tool::m1_m2)
    m1_.emplace(options.m1.m1(images_.train_set.image_size()),
                nn::Options{DType::f32, device_, options.run.seed});
}

models::M2Task M2Experiment::make_task(const data::Split& split) {
  models::M2Task::Options task{
      .batch_labeled = options_.batch_labeled,
      .batch_unlabeled = options_.batch_unlabeled,
      .seed = options_.run.seed,
      .split_id = data::split_hash(split),
      .alpha = options_.alpha,
      .update = options_.update == "joint" ? models::M2Update::joint : models::M2Update::separate,
      .weights = {},
      .adam = options_.m2.adam(),
      .schedule = options_.m2.schedule(options_.run)};
  if (options_.weights == "counts") {
    const double all = static_cast<double>(split.labeled.size() + split.unlabeled.size());
    task.weights = {static_cast<double>(split.labeled.size()) / all,
                    static_cast<double>(split.unlabeled.size()) / all};
  }
  return models::M2Task(stack(), images_.train_set,
                        {models::items_of(split.labeled, device_), models::items_of(split.unlabeled, device_),
                         models::items_of(split.validation, device_)},
                        images_.test_set, task);
}

data::StoredSplit M2Experiment::draw_split() const {
  return new_split(options_.split_file,
                   {.num_labeled = options_.labels,
                    .num_validation = options_.validation,
                    .num_classes = images_.train.num_classes,
                    .seed = options_.run.seed},
                   images_.train);
}

int M2Experiment::train_m1(const train::RunDirectory& directory) {
  Options stage = m1_stage(options_);
  stage.run.resume = directory.resumed() && std::filesystem::exists(directory / "m1" / "config.json");
  stage.run.fresh = !stage.run.resume;
  fmt::print("M1: {} epochs\n", stage.run.epochs);
  return M1Experiment(stage).train(m1_config(stage));
}

void M2Experiment::load_m1(const std::filesystem::path& run) {
  train::StateDict weights;
  weights.meta = m1_->meta();
  m1_->add_state(weights);
  train::load_weights(run / train::kCheckpointFile, weights);
}

data::Split M2Experiment::prepare_split(const train::RunDirectory& directory,
                                        const std::optional<data::StoredSplit>& drawn) {
  const std::filesystem::path file = directory / "split.json";
  if (directory.resumed()) return data::load_split(file, images_.train.labels).split;
  data::save_split(file, drawn->split, drawn->request, images_.train.labels);
  return drawn->split;
}

int M2Experiment::train(const nlohmann::ordered_json& config) {
  // Whatever can be wrong with the input of a new run shows before there is a directory.
  std::optional<data::StoredSplit> drawn;
  if (options_.run.mode() != train::RunDirectory::Mode::resume) drawn = draw_split();
  const bool given_m1 = m1_ && !options_.m1_run.empty();
  if (given_m1) load_m1(options_.m1_run);

  const train::RunDirectory directory(options_.run.run, options_.run.mode());
  if (directory.resumed()) check_resumed_config(directory.read_config(), config);
  const data::Split split = prepare_split(directory, drawn);
  directory.write_config(config);
  if (m1_ && !given_m1) {
    if (const int code = train_m1(directory); code != 0) return code;
    load_m1(directory / "m1");
  }
  models::M2Task task = make_task(split);
  train::Replayed replayed(task, device_, parse_graph_mode(options_.run.graph));
  train::LoopOptions loop = options_.run.loop();
  const Tensor shown =
      models::random_items(images_.test_set, 100, RandomKey::named(options_.run.seed, "pictures"));
  loop.after_epoch = [&](int64_t, int64_t step, train::EventFile& events) {
    const auto r = models::reconstruct(stack(), images_.test_set.gather(shown),
                                       RandomKey::named(options_.run.seed, "pictures/z"));
    const auto png = report::encode_png(reconstruction_picture(r.images, images_.test.images.shape()));
    events.add_image(step, "reconstructed_x", {reinterpret_cast<const uint8_t*>(png.data()), png.size()});
  };
  const train::LoopResult result = train::run_loop(replayed, directory, loop);
  if (result.interrupted) return 130;
  finish(directory, result, config);
  return 0;
}

void M2Experiment::benchmark() {
  if (m1_ && !options_.m1_run.empty())
    load_m1(options_.m1_run);
  else if (m1_)  // one step, since batch norm has no statistics before
    models::M1Task(*m1_, images_.train_set, images_.test_set, {.batch = options_.m1_batch}).step();
  models::M2Task task = make_task(draw_split().split);
  train::Replayed replayed(task, device_, parse_graph_mode(options_.run.graph));
  fmt::print("{}\n", train::benchmark(replayed, device_, options_.run.benchmark).dump());
}

std::vector<int64_t> M2Experiment::predict_test() {
  const auto predictions =
      models::predict(stack(), images_.test_set, models::item_range(0, images_.test.size(), device_),
                      RandomKey::named(options_.run.seed, "noise/evaluate"));
  test_accuracy_ = models::accuracy(predictions, images_.test.labels.to_vector<int64_t>());
  return predictions;
}

void M2Experiment::finish(const train::RunDirectory& directory, const train::LoopResult& result,
                          const nlohmann::ordered_json& config) {
  const std::vector<int64_t> predictions = predict_test();
  visualize();
  analogy();
  fmt::print("test accuracy {:.4f} on {} images of {}\n", test_accuracy_, images_.test.size(),
             images_.test.name);
  const auto labels = images_.test.labels.to_vector<int64_t>();
  RunSummary summary{
      .title = m1_ ? "M1+M2" : "M2",
      .results = {{"test_accuracy", test_accuracy_}},
      .headline = {{"test accuracy", fmt::format("{:.2f} %", 100 * test_accuracy_)}},
      .charts = {{"Bounds", "nats per image", {"loss_labeled", "loss_unlabeled"}},
                 {"Classification loss", "nats per image", {"loss_classifier"}},
                 {"Accuracy", "share of right predictions", {"valid_accuracy", "test_accuracy"}}},
      .pictures = kPictures,
      .confusion = report::Confusion(labels, predictions, images_.test.num_classes)};
  for (const train::Scalar& metric : result.last) {
    summary.results[metric.name] = metric.value;
    if (metric.name == "valid_accuracy")
      summary.headline.push_back({"validation accuracy", fmt::format("{:.2f} %", 100 * metric.value)});
  }
  write_report(directory.path(), summary, config, images_, result, options_.run);
  fmt::print("report: {}\n", (directory / "report.html").string());
}

void M2Experiment::load() {
  train::StateDict weights;
  weights.meta = model_.meta();
  model_.add_state(weights);
  if (m1_) m1_->add_state(weights, "m1");
  train::load_weights(options_.run.run / train::kCheckpointFile, weights);
}

void M2Experiment::test() {
  const std::vector<int64_t> predictions = predict_test();
  fmt::print("test accuracy {:.4f} on {} images of {}\n", test_accuracy_, images_.test.size(),
             images_.test.name);
  fmt::print(
      "{}", report::Confusion(images_.test.labels.to_vector<int64_t>(), predictions, images_.test.num_classes)
                .text());
  if (options_.nll == 0) return;
  const double nll =
      models::importance_nll(stack(), images_.test_set, models::item_range(0, images_.test.size(), device_),
                             options_.nll, RandomKey::named(options_.run.seed, "nll"));
  fmt::print("-log p(x) {:.3f} nats per image ({} importance samples per class)\n", nll, options_.nll);
}

void M2Experiment::visualize() {
  const Tensor items = models::random_items(images_.test_set, m1_ ? 10000 : 5000,
                                            RandomKey::named(options_.run.seed, "pictures"));
  const auto reconstruction = models::reconstruct(stack(), images_.test_set.gather(items),
                                                  RandomKey::named(options_.run.seed, "pictures/z"));
  report::write_png(options_.run.run / "reconstructed_x.png",
                    reconstruction_picture(reconstruction.images, images_.test.images.shape()));
  write_latent_pictures(options_.run.run, reconstruction.z,
                        images_.test_set.gather_labels(items).to_vector<int64_t>());
}

void M2Experiment::analogy() {
  const Tensor items =
      models::random_items(images_.test_set, 10, RandomKey::named(options_.run.seed, "analogy"));
  const Tensor x = images_.test_set.gather(items);
  const Tensor decoded =
      models::analogy(stack(), x, RandomKey::named(options_.run.seed, "analogy/z"), options_.means);
  report::write_png(options_.run.run / "analogy.png",
                    analogy_picture(x, decoded, images_.test.images.shape()));
}

}  // namespace vae
