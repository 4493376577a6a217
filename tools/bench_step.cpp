// bench_step [NAME...]: times one full training step of each family, one JSON line each: forward, backward,
// optimiser, noise drawn inside the step, data at hand. Sizes are those of the published runs.
#include <functional>
#include <map>

#include "models/adgm/evaluate.h"
#include "models/adgm/trainer.h"
#include "models/m1_m2/trainer.h"
#include "models/ml_vae/trainer.h"
#include "nn/train/benchmark.h"
#include "nn/train/replayed.h"
#include "tools/common/cli.h"
#include "tools/common/run_options.h"

namespace {

using namespace vae;

/// Random binary images, a fifth of the pixels set.
Tensor random_images(int64_t rows, int64_t columns, const char* stream, Device device) {
  const Tensor x = Tensor::empty({rows, columns}, DType::f32, device);
  kernels::random_uniform(x, RandomKey::named(0, stream), Tensor::scalar(int64_t{0}, device));
  kernels::map_fwd(kernels::Map::at_least, {0.8, 1}, {&x, 1}, x);
  return x;
}

/// Kingma's M2 as published: labelled and unlabelled batch, ten classes summed over, textbook batch norm,
/// torch's Adam, gradients of each sub-net clipped to norm five.
class M2Bench : public train::Trainable {
 public:
  M2Bench(int64_t batch, Device device)
      : batch_(batch ? batch : 100),
        model_(config(), {DType::f32, device, 0}),
        trainer_(model_, models::M2Update::separate, 1, {.learning_rate = 3e-4, .rule = {}, .clip = 5}),
        counter_(Tensor::scalar(int64_t{0}, device)) {
    std::vector<int64_t> labels(static_cast<size_t>(batch_));
    for (int64_t i = 0; i < batch_; ++i) labels[i] = (i * 7919 + 3) % 10;
    data_.x_labeled = random_images(batch_, 784, "bench/labeled", device);
    data_.x_unlabeled = random_images(batch_, 784, "bench/unlabeled", device);
    data_.labels = Tensor::from(labels, {batch_}, device);
    data_.eps_labeled = Tensor::empty({batch_, 50}, DType::f32, device);
    data_.eps_unlabeled = Tensor::empty({10 * batch_, 50}, DType::f32, device);
  }
  void step() override {
    kernels::random_normal(data_.eps_labeled, RandomKey::named(0, "bench/eps_l"), counter_);
    kernels::random_normal(data_.eps_unlabeled, RandomKey::named(0, "bench/eps_u"), counter_);
    losses_ = trainer_.step(data_);
    kernels::increment(counter_);
  }
  std::vector<std::string> metric_names() const override { return {"loss_labeled", "loss_unlabeled"}; }
  train::Scalars drain() override {
    return {{"loss_labeled", losses_.labeled.item()}, {"loss_unlabeled", losses_.unlabeled.item()}};
  }
  train::Scalars evaluate() override { return {}; }
  train::StateDict state() override { return {}; }
  int64_t images_per_step() const override { return 2 * batch_; }

 private:
  static models::M2Config config() {
    models::M2Config config;
    config.batch_norm = {};
    return config;
  }
  int64_t batch_;
  models::M2 model_;
  models::M2Trainer trainer_;
  models::M2Batch data_;
  models::M2Losses losses_;
  Tensor counter_;
};

/// ADGM of the notebook: 64 labelled and 64 unlabelled images, ten classes summed over, likelihood from
/// logits.
class AdgmBench : public train::Trainable {
 public:
  AdgmBench(int64_t batch, Device device)
      : batch_(batch ? batch : 64),
        model_(models::adgm::make_model(config(), {DType::f32, device, 0})),
        trainer_(*model_, nn::Adam::Settings{.learning_rate = 3e-4, .rule = {}}),
        counter_(Tensor::scalar(int64_t{0}, device)) {
    std::vector<int64_t> labels(static_cast<size_t>(batch_));
    for (int64_t i = 0; i < batch_; ++i) labels[static_cast<size_t>(i)] = (i * 7919 + 3) % 10;
    const Tensor x = random_images(batch_, 784, "bench/labeled", device), one = models::adgm::number(1, x);
    const Tensor y = Tensor::empty({batch_, 10}, DType::f32, device);
    kernels::one_hot(Tensor::from(labels, {batch_}, device), y);
    data_ = {x, y, random_images(batch_, 784, "bench/unlabeled", device), one, one};
  }
  void step() override {
    loss_ = trainer_
                .step(data_, 47, {},
                      [&](const char* call) { return models::adgm::random_pass(0, call, counter_, data_.x); })
                .total.value();
    kernels::increment(counter_);
  }
  std::vector<std::string> metric_names() const override { return {"loss"}; }
  train::Scalars drain() override { return {{"loss", loss_.item()}}; }
  train::Scalars evaluate() override { return {}; }
  train::StateDict state() override { return {}; }
  int64_t images_per_step() const override { return 2 * batch_; }

 private:
  static models::adgm::Config config() {
    models::adgm::Config config;
    config.eps = 0;
    return config;
  }
  int64_t batch_;
  std::unique_ptr<models::adgm::Model> model_;
  models::adgm::Trainer trainer_;
  models::adgm::SemiBatch data_;
  Tensor loss_, counter_;
};

/// The multi-level VAE as published: class statistics detached, evidence of ten labels.
class MlVaeBench : public train::Trainable {
 public:
  MlVaeBench(int64_t batch, Device device)
      : batch_(batch ? batch : 256),
        model_({.kl_coef = 3}, {DType::f32, device, 0}),
        trainer_(model_, {}),
        counter_(Tensor::scalar(int64_t{0}, device)) {
    std::vector<int64_t> labels(static_cast<size_t>(batch_));
    for (int64_t i = 0; i < batch_; ++i) labels[i] = (i * 7919 + 3) % 10;
    labels_ = Tensor::from(labels, {batch_}, device);
    x_ = Tensor::empty({batch_, 784}, DType::f32, device);
    kernels::random_uniform(x_, RandomKey::named(0, "bench/images"), counter_);
    noise_ = {Tensor::empty({batch_, 10}, DType::f32, device), Tensor::empty({10, 10}, DType::f32, device)};
  }
  void step() override {
    kernels::random_normal(noise_.style, RandomKey::named(0, "bench/style"), counter_);
    kernels::random_normal(noise_.class_code, RandomKey::named(0, "bench/class"), counter_);
    kernels::map_fwd(kernels::Map::affine, {0.1, 0}, {&noise_.class_code, 1}, noise_.class_code);
    loss_ = trainer_.step(x_, models::make_groups(labels_, 10, DType::f32), noise_).total.value();
    kernels::increment(counter_);
  }
  std::vector<std::string> metric_names() const override { return {"loss"}; }
  train::Scalars drain() override { return {{"loss", loss_.item()}}; }
  train::Scalars evaluate() override { return {}; }
  train::StateDict state() override { return {}; }
  int64_t images_per_step() const override { return batch_; }

 private:
  int64_t batch_;
  models::MlVae model_;
  models::MlVaeTrainer trainer_;
  models::MlVaeNoise noise_;
  Tensor x_, labels_, loss_, counter_;
};

using Factory = std::function<std::unique_ptr<train::Trainable>(int64_t batch, Device device)>;

const std::map<std::string, Factory>& systems() {
  static const std::map<std::string, Factory> systems{
      {"adgm", [](int64_t batch, Device device) { return std::make_unique<AdgmBench>(batch, device); }},
      {"m2", [](int64_t batch, Device device) { return std::make_unique<M2Bench>(batch, device); }},
      {"ml_vae", [](int64_t batch, Device device) { return std::make_unique<MlVaeBench>(batch, device); }},
  };
  return systems;
}

int run(int argc, char** argv) {
  CLI::App app("Times full training steps, one JSON line per family.", "bench_step");
  std::vector<std::string> names, known;
  for (const auto& [name, factory] : systems()) known.push_back(name);
  RunOptions options;
  bool list = false;
  int64_t batch = 0, steps = 20;
  app.add_option("name", names, "families; default: all")->check(CLI::IsMember(known));
  app.add_flag("--list", list, "print the names only");
  app.add_option("--batch", batch, "batch size; 0: as published")->check(count(0))->capture_default_str();
  app.add_option("--steps", steps, "steps per repeat, of five")->check(count(1))->capture_default_str();
  add_device_options(app, options);
  if (!parse_command_line(app, argc, argv)) return 0;
  if (names.empty()) names = known;
  if (list) {
    fmt::print("{}\n", fmt::join(names, " "));
    return 0;
  }
  const Device device = prepare_device(options);
  const GraphMode graph = parse_graph_mode(options.graph);
  for (const std::string& name : names) {
    const auto steps_of = systems().at(name)(batch, device);
    train::Replayed system(*steps_of, device, graph);
    nlohmann::json line = train::benchmark(system, device, steps);
    line["system"] = name;
    line["framework"] = "vaekit";
    line["precision"] = options.precision;
    line["mode"] = system.recorded() ? "graph" : "eager";
    line["batch"] = batch ? nlohmann::json(batch) : nlohmann::json("published");
    fmt::print("{}\n", line.dump());
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  vae::limit_spinning(argv);
  return vae::guarded_main([&] { return run(argc, argv); });
}
