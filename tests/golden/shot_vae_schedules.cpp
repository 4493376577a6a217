#include <algorithm>

#include "models/shot_vae/batches.h"
#include "models/shot_vae/objective.h"
#include "nn/train/image_set.h"
#include "shot_vae_run.h"

namespace vae::golden {
namespace {

using shot_vae::LearningRate, shot_vae::Objective;

bool schedules_fits(const nlohmann::json& config) {
  return !config.empty() && std::ranges::all_of(config.items(), [](const auto& run) {
    return run.value().is_object() && run.value().contains("adjust_lr");
  });
}

/// What the published programs make of a data set.
Objective objective_of(const nlohmann::json& run, bool shot) {
  const auto set = run.at("dataset").get<std::string>();
  const auto epochs = run.at("epochs").get<double>();
  Objective o;
  o.unlabeled.epochs = std::lround(0.4 * epochs);
  if (set == "Cifar100") o.target_y.top = 4.6;
  if (!shot) {
    o.target_z.top = set == "Cifar10" ? 200 : set == "Cifar100" ? 1280 : 0;
    if (set == "SVHN") o.target_y.top = 0;
  } else if (set == "Cifar100") {
    for (shot_vae::Ramp* ramp : {&o.target_z, &o.target_y, &o.beta_z, &o.beta_y}) ramp->epochs = 150;
    o.distance.epochs = 400;
  } else if (set == "Cifar10" && run.at("annotated_ratio") >= 0.05) {
    o.boost_after = run.at("adjust_lr").at(0);
  }
  return o;
}

/// Rate and weights in the last update of every epoch.
void put_run(Numbers& numbers, const std::string& name, const nlohmann::json& run, Values& values) {
  const bool classifier = name.starts_with("classifier");
  const auto count = [&](const char* key) { return run.at("sizes").at(key).get<int64_t>(); };
  const char* set = classifier ? "labeled" : "unlabeled";
  const int64_t length =
      shot_vae::Batches("batch", train::item_range(0, count(set), golden_device()), run.at("batch_size"))
          .count();
  if (const int64_t theirs = count(classifier ? "batches_l" : "batches_u"); length != theirs)
    fail(ErrorKind::data, "{}: {} updates per epoch, {} here", name, theirs, length);

  std::map<std::string, std::vector<double>> numbers_of;
  const kernels::Schedule rate =
      LearningRate{run.at("lr"), classifier ? 0.2 : 0.1, run.at("adjust_lr")}.schedule(length);
  const Objective objective = objective_of(run, name.starts_with("shot"));
  const auto epochs = run.at("epochs").get<int64_t>();
  for (int64_t epoch = 0; epoch < epochs; ++epoch) {
    const int64_t iteration = (epoch + 1) * length - 1;
    numbers_of["lr"].push_back(rate.at(iteration));
    if (classifier) continue;
    train::Notes notes;
    const shot_vae::Terms terms(
        objective, length,
        train::Step(0, Tensor::scalar(iteration, golden_device()), numbers.dtype()).with_notes(notes));
    for (const auto& [note, value] : notes)
      if (note.starts_with("sched_")) numbers_of[note.substr(6)].push_back(value.value().item());
  }
  for (const auto& [what, all] : numbers_of)
    values[fmt::format("output/{}/{}", name, what)] = Tensor::from(all, {epochs});
}

Values run_schedules(Numbers& numbers) {
  Values values;
  for (const auto& [name, run] : numbers.file().config.items()) put_run(numbers, name, run, values);
  return values;
}

std::optional<Tolerance> schedules_tolerance(const File&, const std::string& name, DType precision) {
  const bool on_host = name.ends_with("/lr");
  return Tolerance{.of_value = precision == DType::f32 && !on_host ? 1e-6 : 1e-14};
}

}  // namespace

FileKind shot_vae_schedules() {
  return {.name = "rates and weights",
          .fits = schedules_fits,
          .precisions = {DType::f64, DType::f32},
          .run = run_schedules,
          .tolerance = schedules_tolerance};
}

}  // namespace vae::golden
