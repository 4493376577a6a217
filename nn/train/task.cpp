#include "nn/train/task.h"

#include <algorithm>

#include "nn/train/checkpoint.h"
#include "tensor/communicator.h"

namespace vae::train {

Task::Task(Recipe& recipe, Options options)
    : recipe_(recipe),
      options_(options),
      groups_(recipe.groups(), options.grad_reduce),
      meter_(recipe.training_metrics(), recipe.model().options().device),
      counter_(Tensor::scalar(int64_t{0}, recipe.model().options().device)),
      graph_(counter_.device(), options.graph) {}

int64_t Task::iteration() {
  if (iteration_ < 0) iteration_ = static_cast<int64_t>(counter_.item());
  return iteration_;
}

void Task::step() {
  const kernels::PrecisionScope precision(options_.precision);
  recipe_.prepare(iteration());
  graph_.run([this] { queue(); }, recipe_.sizes(iteration_));
  ++iteration_;
}

void Task::queue() {
  const Step step = Step(options_.seed, counter_, recipe_.model().options().dtype).with_meter(meter_);
  for (const Update& update : recipe_.updates(step)) groups_.run(update, counter_);
  meter_.count(counter_);
}

std::vector<std::string> Task::metric_names() const {
  std::vector<std::string> names = meter_.names();
  for (const auto& more : {recipe_.reading_metrics(), recipe_.evaluation_metrics()})
    names.insert(names.end(), more.begin(), more.end());
  return names;
}

Scalars Task::drain() {
  Scalars row = meter_.drain();
  for (Scalar& reading : recipe_.read()) row.push_back(std::move(reading));
  return row;
}

Scalars Task::evaluate() {
  const kernels::PrecisionScope precision(options_.precision);
  if (!parallel::current().alone() &&
      !parallel::of_statistics())  // of each rank's rows: those of rank 0 count
    for (const nn::Module::Buffer& buffer : recipe_.model().buffers())
      parallel::current().broadcast(buffer.tensor);
  const nn::TestMode test(recipe_.model());
  const Groups::Averaged averaged(groups_);
  return recipe_.evaluate(last_step(options_.seed, iteration(), counter_.device(), "evaluate"));
}

nlohmann::json Task::meta() const {
  nlohmann::json meta = recipe_.meta();
  if (!options_.split.empty()) meta["split"] = options_.split;
  return meta;
}

nn::StateDict Task::state() {
  iteration_ = -1;  // the counter may be written from now on
  nn::StateDict state;
  recipe_.add_state(state);
  groups_.add_state(state);
  meter_.add_state(state);
  state.add("counter", counter_);
  return state;
}

nn::StateDict Task::weights() {
  nn::StateDict live, copies;
  recipe_.add_state(live);
  live.add("counter", counter_);
  const Groups::Averaged averaged(groups_);
  for (const auto& [name, tensor] : live.entries()) copies.add(name, tensor.clone());
  return copies;
}

int64_t load_weights(Recipe& recipe, const std::filesystem::path& checkpoint) {
  nn::StateDict weights;
  recipe.add_state(weights);
  const Tensor counter = Tensor::scalar(int64_t{0});
  weights.add("counter", counter);
  load_weights(checkpoint, weights, recipe.meta());
  return static_cast<int64_t>(counter.item());
}

int64_t load_weights(Recipe& recipe, const std::filesystem::path& run, Weights which) {
  if (which == Weights::best) {
    if (!std::filesystem::exists(run / kBestFile))
      fail(ErrorKind::usage, "{} has no {}: its training keeps no best epoch, or has not ended one",
           run.string(), kBestFile);
    return load_weights(recipe, run / kBestFile);
  }
  const int64_t iterations = load_weights(recipe, run / kCheckpointFile);
  const std::vector<Group> of_recipe = recipe.groups();
  const bool averages_some = std::ranges::any_of(of_recipe, [](const Group& g) { return g.average != 0; });
  if (which == Weights::average && !averages_some)
    fail(ErrorKind::usage, "{} has no averaged weights: its training keeps none", run.string());
  if (which == Weights::last || !averages_some) return iterations;
  const Groups groups(of_recipe);
  nn::StateDict averages;
  for (const auto& entry : groups.all())
    if (entry->average) averages.add("average." + entry->name, entry->parameters.values());
  load_weights(run / kCheckpointFile, averages, recipe.meta());
  return iterations;
}

Step last_step(uint64_t seed, int64_t iterations, Device device, const std::string& scope) {
  return Step(seed, Tensor::scalar(std::max<int64_t>(0, iterations - 1), device)).in(scope);
}

}  // namespace vae::train
