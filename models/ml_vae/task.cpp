#include "models/ml_vae/task.h"

#include "models/ml_vae/codes.h"

namespace vae::models {

MlVaeTask::MlVaeTask(MlVae& model, ImageSet images, ImageSet test, int64_t classes, Options options)
    : model_(model),
      images_(std::move(images)),
      test_(std::move(test)),
      classes_(classes),
      options_(options),
      trainer_(model, options.adam),
      losses_({"loss_reconstruction", "loss_style_kl", "loss_class_kl"}, images_.pixels.device()),
      counter_(Tensor::scalar(int64_t{0}, images_.pixels.device())),
      items_(item_range(0, images_.size(), images_.pixels.device())) {
  if (options_.batch < 1 || images_.size() < 1)
    fail(ErrorKind::usage, "batches of {} of {} images", options_.batch, images_.size());
  options_.batch = std::min(options_.batch, images_.size());
}

Tensor MlVaeTask::noise(int64_t rows, int64_t columns, const char* stream) const {
  const Tensor eps = Tensor::empty({rows, columns}, DType::f32, counter_.device());
  kernels::random_normal(eps, RandomKey::named(options_.seed, stream), counter_);
  return eps;
}

void MlVaeTask::step() {
  const MlVaeConfig& config = model_.config();
  const Tensor items = Tensor::empty({options_.batch}, DType::i64, counter_.device());
  kernels::epoch_items(items_, items, RandomKey::named(options_.seed, "batch"), counter_, options_.reshuffle);
  const int64_t draws = config.class_noise == ClassNoise::per_group ? classes_ : options_.batch;
  const Tensor class_noise = noise(draws, config.class_dim, "noise/class");
  kernels::map_fwd(kernels::Map::affine, {config.noise_std, 0}, {&class_noise, 1}, class_noise);
  const MlVaeLosses losses = trainer_.step(
      images_.gather(items), make_groups(images_.gather_labels(items), classes_, DType::f32),
      {.style = noise(options_.batch, config.style_dim, "noise/style"), .class_code = class_noise});
  losses_.add({losses.reconstruction.value(), losses.style_kl.value(), losses.class_kl.value()});
  kernels::increment(counter_);
}

std::vector<std::string> MlVaeTask::metric_names() const {
  std::vector<std::string> names = losses_.names();
  names.insert(names.end(), {"test_mse_single", "test_mse_evidence"});
  return names;
}

train::Scalars MlVaeTask::evaluate() {
  if (test_.size() == 0) return {};
  const ReconstructionErrors errors =
      reconstruction_errors(model_, test_, encode_set(model_, test_), classes_);
  return {{"test_mse_single", errors.single}, {"test_mse_evidence", errors.evidence}};
}

train::StateDict MlVaeTask::state() {
  train::StateDict state;
  state.meta = model_.meta();
  model_.add_state(state);
  trainer_.adam().add_state(state, "adam");
  losses_.add_state(state);
  state.add("counter", counter_);
  return state;
}

}  // namespace vae::models
