// bench_step [NAME...]: times one full training step of each family, one JSON line each: batch, noise,
// forward, backward, optimiser. Sizes are those of the published runs, images random. With --plan it counts
// what the step queues on a GPU instead, and works out the time that this takes one at the least. With --run
// it trains on real images, where a step need not cost at the end what it costs at first.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <random>

#include "nn/train/benchmark.h"
#include "tools/adgm/options.h"
#include "tools/bench/run.h"
#include "tools/bench/scaling.h"
#include "tools/m1_m2/options.h"
#include "tools/ml_vae/options.h"
#include "tools/shot_vae/options.h"
#include "tools/shot_vae/smooth_options.h"
#include "tools/sym_vae/options.h"

namespace {

using namespace vae;

constexpr int64_t kImages = 4096, kLabels = 1000;

/// What is timed: a tool with batches of so many images, or as published; the images that stand for its data
/// set.
struct System {
  tool::Setup setup;
  Shape image{28, 28, 1};
  int64_t labeled = 1, unlabeled = 1;  ///< batches, of which a pass has whole ones alone
};

/// Random pixels of ten classes, as the model sees them; what draws pixels anew gets 0/1.
train::Data random_data(const System& system, Device device) {
  std::mt19937 random(0);
  std::vector<uint8_t> pixels(static_cast<size_t>(kImages * system.image.numel()));
  for (uint8_t& pixel : pixels) pixel = static_cast<uint8_t>(random());
  std::vector<int64_t> labels(static_cast<size_t>(kImages));
  for (int64_t& label : labels) label = random() % 10;
  const train::Inputs inputs = system.setup.inputs;
  const train::ImageSet images{
      Tensor::from(pixels, {kImages, system.image[0], system.image[1], system.image[2]}, device),
      Tensor::from(labels, {kImages}, device),
      inputs == train::Inputs::drawn ? train::Inputs::binary : inputs};
  const auto items = [&](int64_t from, int64_t to, int64_t batch) {
    return train::item_range(from, std::max(from + batch, from + (to - from) / batch * batch), device);
  };
  return {.train = images,
          .test = images,
          .classes = 10,
          .name = "random images",
          .split = {items(0, kLabels, system.labeled), items(kLabels, kImages, system.unlabeled), {}}};
}

std::string preset(const std::string&, const std::string& fallback) { return fallback; }

/// Kingma's M2: labelled and unlabelled batch, ten classes summed over, gradients of each sub-net clipped.
System m2(int64_t batch) {
  m1_m2::M2Options o = m1_m2::m2_preset(preset);
  if (batch) o.settings.batch_labeled = o.settings.batch_unlabeled = batch;
  return {tool::setup_of(o)};
}

/// ADGM of the notebook: 64 labelled and 64 unlabelled images, classes summed over, likelihood of logits.
System adgm_model(int64_t batch) {
  adgm::Options o = adgm::preset_options(adgm::Tool::adgm, preset);
  o.config().eps = 0;
  if (batch) o.settings.batch_labeled = o.settings.batch = batch;
  return {tool::setup_of(o)};
}

/// The multi-level VAE as published: class statistics detached, evidence of ten labels.
System ml_vae_model(int64_t batch) {
  ml_vae::Options o = ml_vae::preset_options(preset);
  if (batch) o.settings.batch = batch;
  return {tool::setup_of(o)};
}

/// Symmetric learning of the ladder on bits.
System sym_vae_model(int64_t batch) {
  sym_vae::Options o = sym_vae::preset_options(preset);
  if (batch) o.settings.batch = batch;
  return {tool::setup_of(o)};
}

/// SHOT-VAE of CIFAR-10 on a WideResNet: labelled and unlabelled images, both once more when they are mixed.
System shot_wrn_28_2(int64_t batch) {
  shot_vae::Options o = shot_vae::preset_options(shot_vae::Method::shot, preset);
  auto& source = o.training.source;
  if (batch) source.batch_labeled = source.batch = batch;
  return {tool::setup_of(o), {32, 32, 3}, source.batch_labeled, source.batch};
}

/// Smooth-ELBO learning of MNIST: 4 labelled and 128 unlabelled images.
System smooth_mnist(int64_t batch) {
  shot_vae::SmoothOptions o = shot_vae::smooth_preset(preset);
  if (batch) o.settings.batch_labeled = o.settings.batch = batch;
  return {tool::setup_of(o), {32, 32, 1}, o.settings.batch_labeled, o.settings.batch};
}

const std::map<std::string, System (*)(int64_t)> kSystems{
    {"adgm", adgm_model},           {"m2", m2},
    {"ml_vae", ml_vae_model},       {"shot_wrn_28_2", shot_wrn_28_2},
    {"smooth_mnist", smooth_mnist}, {"sym_vae", sym_vae_model}};

int run(int argc, char** argv) {
  CLI::App app("Times full training steps, one JSON line per family.", "bench_step");
  std::vector<std::string> names, known;
  for (const auto& [name, recipe] : kSystems) known.push_back(name);
  tool::DeviceOptions options;
  bool list = false, plan = false;
  bench::RunPlan on_images;
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
  table.add("run", on_images.iterations, "train so many iterations on the data set of the tool instead",
            tool::at_least(0));
  table.add("every", on_images.every, "with --run: iterations between lines", tool::at_least(1));
  table.add(
      "beside", on_images.beside,
      "with --run: a command, called before each line, whose last one is JSON with the rate of the same "
      "step elsewhere, steps_per_s");
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
  if (on_images.iterations && plan) fail(ErrorKind::usage, "--run and --plan exclude each other");
  if (plan) options.device = bench::plan_device();
  const Device device = prepare_device(options);
  for (const std::string& name : names) {
    System system = kSystems.at(name)(batch);
    if (on_images.iterations) {
      static_cast<tool::DeviceOptions&>(system.setup.options.run) = options;
      bench::time_run(name, std::move(system.setup), on_images);
      continue;
    }
    const auto make = [&] { return system.setup.make(random_data(system, device), {DType::f32, device, 0}); };
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
