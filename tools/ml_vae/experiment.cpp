#include "tools/ml_vae/experiment.h"

#include "data/digest.h"
#include "nn/train/benchmark.h"
#include "nn/train/checkpoint.h"
#include "nn/train/replayed.h"
#include "tensor/file.h"
#include "tensor/safetensors.h"
#include "tools/common/config_file.h"
#include "tools/common/pictures.h"
#include "tools/common/run_report.h"

namespace vae {
namespace {

const std::vector<std::pair<std::string, std::string>> kPictures{
    {"swap.png",
     "Rows: the style of the digit on the left; columns: the class code of the digit above alone"},
    {"swap_evidence.png", "The same with the class codes of all images of a digit in a random batch"},
    {"reconstructed_x.png", "Reconstructions of test images; each tile has its own grey scale"}};

/// A parameter in a file of the reference's, whose names may stand behind "param/".
const Tensor& reference_parameter(const SafeTensors& file, const std::string& name) {
  return file.contains("param/" + name) ? file.at("param/" + name) : file.at(name);
}

/// A name for the values of a module's parameters.
std::string fingerprint(nn::Module& module) {
  std::vector<std::byte> bytes;
  for (const nn::Module::Parameter& p : module.parameters()) {
    const Tensor values = p.var->value().to(kCpu);
    const auto* begin = static_cast<const std::byte*>(values.raw());
    bytes.insert(bytes.end(), begin, begin + values.bytes());
  }
  return data::sha256_hex(bytes);
}

}  // namespace

void read_sizes(const std::filesystem::path& weights, MlVaeOptions& options, nlohmann::ordered_json& config) {
  const SafeTensors file = load_safetensors(weights);
  const auto rows = [&](const char* name, int64_t& size, const char* option) {
    const Tensor& tensor = reference_parameter(file, name);
    if (tensor.rank() != 1) fail(ErrorKind::data, "{}: {} is {}", weights.string(), name, tensor.str());
    config[option] = size = tensor.size(0);
  };
  rows("encoder.linear_model.linear_1.bias", options.hidden, "hidden");
  rows("encoder.style_mu.bias", options.style_dim, "style-dim");
  rows("encoder.class_mu.bias", options.class_dim, "class-dim");
}

MlVaeExperiment::MlVaeExperiment(const MlVaeOptions& options)
    : options_(options),
      device_(prepare_device(options.run)),
      images_(load_images(options.images, "gaussian", device_)),
      classes_(images_.train.num_classes),
      model_(options.model(images_.train_set.image_size()), {DType::f32, device_, options.run.seed}) {}

models::MlVaeTask MlVaeExperiment::make_task() {
  return models::MlVaeTask(model_, images_.train_set, images_.test_set, classes_,
                           {.batch = options_.batch,
                            .reshuffle = options_.reshuffle,
                            .seed = options_.run.seed,
                            .adam = options_.adam()});
}

train::LoopOptions MlVaeExperiment::loop(const models::MlVaeTask& task) const {
  train::LoopOptions loop = options_.run.loop();
  if (loop.iters_per_epoch == 0) loop.iters_per_epoch = task.steps_per_pass();
  return loop;
}

int MlVaeExperiment::train(const nlohmann::ordered_json& config) {
  const train::RunDirectory directory(options_.run.run, options_.run.mode());
  if (directory.resumed()) check_resumed_config(directory.read_config(), config);
  directory.write_config(config);
  models::MlVaeTask task = make_task();
  train::Replayed replayed(task, device_, parse_graph_mode(options_.run.graph));
  const train::LoopResult result = train::run_loop(replayed, directory, loop(task));
  if (result.interrupted) return 130;
  pictures();
  RunSummary summary{.title = "Multi-level VAE",
                     .results = probe_numbers(),
                     .headline = {},
                     .charts = {{"Reconstruction",
                                 "squared error per pixel",
                                 {"loss_reconstruction", "test_mse_single", "test_mse_evidence"}},
                                {"Divergences", "nats per pixel", {"loss_style_kl", "loss_class_kl"}}},
                     .pictures = kPictures,
                     .confusion = {}};
  test_mse_ = summary.results["test_mse_single"];
  for (const train::Scalar& metric : result.last)
    if (metric.name.starts_with("loss_")) summary.results[metric.name] = metric.value;
  for (const auto& [name, value] : summary.results.items())
    summary.headline.push_back({name, fmt::format("{:.4g}", value.get<double>())});
  fmt::print("squared error per pixel of the test images {:.4f}, with evidence {:.4f}\n", test_mse_,
             summary.results["test_mse_evidence"].get<double>());
  write_report(directory.path(), summary, config, images_, result, options_.run);
  fmt::print("report: {}\n", (directory / "report.html").string());
  return 0;
}

void MlVaeExperiment::benchmark() {
  models::MlVaeTask task = make_task();
  train::Replayed replayed(task, device_, parse_graph_mode(options_.run.graph));
  fmt::print("{}\n", train::benchmark(replayed, device_, options_.run.benchmark).dump());
}

void MlVaeExperiment::import(const nlohmann::ordered_json& config) {
  const SafeTensors file = load_safetensors(options_.weights);
  for (const nn::Module::Parameter& p : model_.parameters()) {
    const Tensor& given = reference_parameter(file, p.name);
    if (given.dtype() != DType::f32 || !(given.shape() == p.var->shape()))
      fail(ErrorKind::data, "{}: {} is {}, not f32 {}", options_.weights.string(), p.name, given.str(),
           p.var->shape().str());
    p.var->value().copy_from(given);
  }
  const train::RunDirectory directory(options_.run.run, options_.run.mode());
  directory.write_config(config);
  models::MlVaeTask task = make_task();
  train::StateDict state = task.state();
  state.meta["loop"] = {{"iteration", 0}, {"iters_per_epoch", loop(task).iters_per_epoch}};
  train::save_checkpoint(directory / train::kCheckpointFile, state);
  pictures();
  probe();
}

void MlVaeExperiment::load() {
  train::StateDict weights;
  weights.meta = model_.meta();
  model_.add_state(weights);
  train::load_weights(options_.run.run / train::kCheckpointFile, weights);
}

int MlVaeExperiment::classify(const nlohmann::ordered_json& config) {
  const int64_t per_epoch = std::min<int64_t>(options_.iterations, 1000);
  if (options_.iterations % per_epoch != 0)
    fail(ErrorKind::usage, "--iterations: {} are not whole thousands", options_.iterations);
  RunOptions run = options_.run;
  run.run /= "classifier";
  run.iters_per_epoch = per_epoch;
  run.epochs = options_.iterations / per_epoch;
  models::ClassifierTask task(encode_set(model_, images_.train_set), classes_,
                              {.batch = options_.classifier_batch,
                               .reshuffle = options_.reshuffle,
                               .seed = run.seed,
                               .noise_std = options_.noise_std,
                               .adam = {.learning_rate = options_.classifier_rate, .rule = {}},
                               .encoder_id = fingerprint(model_)});
  const train::RunDirectory directory(run.run, run.mode());
  if (directory.resumed()) check_resumed_config(directory.read_config(), config);
  directory.write_config(config);
  train::Replayed replayed(task, device_, parse_graph_mode(run.graph));
  const train::LoopResult result = train::run_loop(replayed, directory, run.loop());
  if (result.interrupted) return 130;

  const auto train_scores = task.score(encode_set(model_, images_.train_set), "train");
  const auto test_scores = task.score(encode_set(model_, images_.test_set), "test");
  nlohmann::ordered_json results;
  fmt::print("accuracy in %      train   test    with running statistics: train   test\n");
  for (size_t kind = 0; kind < models::kCodeKinds.size(); ++kind) {
    const auto &train = train_scores[kind], &test = test_scores[kind];
    fmt::print("{:16} {:7.2f} {:7.2f} {:30.2f} {:7.2f}\n", models::kCodeKinds[kind],
               100 * train.batch_statistics, 100 * test.batch_statistics, 100 * train.running_statistics,
               100 * test.running_statistics);
    results[models::kCodeKinds[kind]] = {{"train", train.batch_statistics},
                                         {"test", test.batch_statistics},
                                         {"train_running_statistics", train.running_statistics},
                                         {"test_running_statistics", test.running_statistics}};
  }
  fmt::print("class_evidence uses the labels of the test images to form the groups: no classification\n");
  write_file_atomically(directory / "results.json", results.dump(2) + "\n");
  return 0;
}

}  // namespace vae
