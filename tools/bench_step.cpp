// bench_step [NAME...]: times one full training step of each family, one JSON line each: batch, noise,
// forward, backward, optimiser. Sizes are those of the published runs, images random. With --plan it counts
// what the step queues on a GPU instead, and works out the time that this takes one at the least.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <random>

#include "nn/train/benchmark.h"
#include "nn/train/task.h"
#include "tools/adgm/options.h"
#include "tools/bench/scaling.h"
#include "tools/m1_m2/options.h"
#include "tools/ml_vae/options.h"
#include "tools/shot_vae/options.h"
#include "tools/shot_vae/smooth_options.h"
#include "tools/sym_vae/options.h"

namespace {

using namespace vae;

constexpr int64_t kImages = 4096, kLabels = 1000;

/// Random pixels of ten classes, as a model sees them.
train::Data random_data(train::Inputs inputs, Device device, const Shape& image = {28, 28, 1}) {
  std::mt19937 random(0);
  std::vector<uint8_t> pixels(static_cast<size_t>(kImages * image.numel()));
  for (uint8_t& pixel : pixels) pixel = static_cast<uint8_t>(random());
  std::vector<int64_t> labels(static_cast<size_t>(kImages));
  for (int64_t& label : labels) label = random() % 10;
  const train::ImageSet images{Tensor::from(pixels, {kImages, image[0], image[1], image[2]}, device),
                               Tensor::from(labels, {kImages}, device), inputs};
  return {.train = images,
          .test = images,
          .classes = 10,
          .name = "random images",
          .split = {train::item_range(0, kLabels, device), train::item_range(kLabels, kImages, device), {}}};
}

std::string preset(const std::string&, const std::string& fallback) { return fallback; }

/// Kingma's M2: labelled and unlabelled batch, ten classes summed over, gradients of each sub-net clipped.
std::unique_ptr<train::Recipe> m2(int64_t batch, nn::Options of_model) {
  m1_m2::M2Options o = m1_m2::m2_preset(preset);
  if (batch) o.settings.batch_labeled = o.settings.batch_unlabeled = batch;
  return make_recipe(o, random_data(inputs_of(o), of_model.device), of_model);
}

/// ADGM of the notebook: 64 labelled and 64 unlabelled images, classes summed over, likelihood of logits.
std::unique_ptr<train::Recipe> adgm_model(int64_t batch, nn::Options of_model) {
  adgm::Options o = adgm::preset_options(adgm::Tool::adgm, preset);
  o.config().eps = 0;
  if (batch) o.settings.batch_labeled = o.settings.batch = batch;
  return make_recipe(o, random_data(train::Inputs::binary, of_model.device), of_model);
}

/// The multi-level VAE as published: class statistics detached, evidence of ten labels.
std::unique_ptr<train::Recipe> ml_vae_model(int64_t batch, nn::Options of_model) {
  ml_vae::Options o = ml_vae::preset_options(preset);
  if (batch) o.settings.batch = batch;
  return make_recipe(o, random_data(inputs_of(o), of_model.device), of_model);
}

/// Symmetric learning of the ladder on bits.
std::unique_ptr<train::Recipe> sym_vae_model(int64_t batch, nn::Options of_model) {
  sym_vae::Options o = sym_vae::preset_options(preset);
  if (batch) o.settings.batch = batch;
  return make_recipe(o, random_data(inputs_of(o), of_model.device), of_model);
}

/// The same, where a pass has whole batches alone.
train::Data whole_batches(train::Data data, int64_t batch_labeled, int64_t batch) {
  const auto items = [&](int64_t of, int64_t size) {
    return train::item_range(0, std::max(size, of / size * size), data.train.device());
  };
  data.split.labeled = items(kLabels, batch_labeled), data.split.unlabeled = items(kImages, batch);
  return data;
}

/// SHOT-VAE of CIFAR-10 on a WideResNet: labelled and unlabelled images, both once more when they are mixed.
std::unique_ptr<train::Recipe> shot_wrn_28_2(int64_t batch, nn::Options of_model) {
  shot_vae::Options o = shot_vae::preset_options(shot_vae::Method::shot, preset);
  if (batch) o.training.source.batch_labeled = o.training.source.batch = batch;
  return make_recipe(o,
                     whole_batches(random_data(inputs_of(o), of_model.device, {32, 32, 3}),
                                   o.training.source.batch_labeled, o.training.source.batch),
                     of_model);
}

/// Smooth-ELBO learning of MNIST: 4 labelled and 128 unlabelled images.
std::unique_ptr<train::Recipe> smooth_mnist(int64_t batch, nn::Options of_model) {
  shot_vae::SmoothOptions o = shot_vae::smooth_preset(preset);
  shot_vae::SmoothRecipe::Settings& s = o.settings;
  if (batch) s.batch_labeled = s.batch = batch;
  return make_recipe(
      o, whole_batches(random_data(inputs_of(o), of_model.device, {32, 32, 1}), s.batch_labeled, s.batch),
      of_model);
}

const std::map<std::string, std::unique_ptr<train::Recipe> (*)(int64_t, nn::Options)> kSystems{
    {"adgm", adgm_model},           {"m2", m2},
    {"ml_vae", ml_vae_model},       {"shot_wrn_28_2", shot_wrn_28_2},
    {"smooth_mnist", smooth_mnist}, {"sym_vae", sym_vae_model}};

int run(int argc, char** argv) {
  CLI::App app("Times full training steps, one JSON line per family.", "bench_step");
  std::vector<std::string> names, known;
  for (const auto& [name, recipe] : kSystems) known.push_back(name);
  tool::DeviceOptions options;
  bool list = false, plan = false;
  bench::Card card = bench::kH100;
  bench::Link link;
  int64_t batch = 0, steps = 20, ranks = 0;
  double bandwidth = link.bandwidth * 1e-9;
  tool::OptionTable table;
  table.flag("list", list, "print the names only");
  table.flag("plan", plan, "count launches, operations and bytes of a step on a GPU, none needed");
  table.add("card", card, "GPU whose time --plan works out",
            tool::choice<bench::Card>({{"h100", bench::kH100}, {"h200", bench::kH200}}));
  table.add("ranks", ranks, "with --plan: the step on 1, 8, 64, 512 and so many cards, which share its batch",
            tool::between<int64_t>(1, 1 << 20));
  table.add("link", bandwidth, "GB/s that a card sends, and receives meanwhile", tool::between(1e-3, 1e6));
  table.add("batch", batch, "batch size; 0: as published", tool::at_least(0));
  table.add("steps", steps, "steps per repeat, of five", tool::at_least(1));
  describe(table, options);
  app.add_option("name", names, "families; default: all")->check(CLI::IsMember(known));
  table.add_to(app);
  if (!tool::parse_command_line(app, argc, argv)) return 0;
  if (names.empty()) names = known;
  if (list) {
    fmt::print("{}\n", fmt::join(names, " "));
    return 0;
  }
  if (ranks && !plan) fail(ErrorKind::usage, "--ranks: goes with --plan");
  link.bandwidth = bandwidth * 1e9;
  if (plan) options.device = bench::plan_device();
  const Device device = prepare_device(options);
  for (const std::string& name : names) {
    const auto make = [&] { return kSystems.at(name)(batch, {DType::f32, device, 0}); };
    const auto recipe = make();
    if (plan) {
      fmt::print("{} on {}, {}\n{}\n", name, card.name, tool::name_of(options.precision),
                 bench::table_of(bench::plan_of(*recipe, card, options.precision)));
      if (ranks)
        fmt::print("{} on ranks, link of {:g} GB/s\n{}\n", name, bandwidth,
                   bench::scaling_table(make, card, options.precision, static_cast<int>(ranks), link));
      continue;
    }
    train::Task task(*recipe, {.graph = options.graph, .precision = options.precision});
    nlohmann::json line = train::benchmark(task, device, steps);
    line["system"] = name;
    line["framework"] = "vaekit";
    line["precision"] = tool::name_of(options.precision);
    line["mode"] = task.recorded() ? "graph" : "eager";
    line["batch"] = batch ? nlohmann::json(batch) : nlohmann::json("published");
    fmt::print("{}\n", line.dump());
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return vae::tool::main(argv, [&] { return run(argc, argv); });
}
