#include "models/m1_m2/task.h"

namespace vae::models {

M1Task::M1Task(M1& model, ImageSet images, ImageSet held_out, Options options)
    : model_(model),
      images_(std::move(images)),
      held_out_(std::move(held_out)),
      options_(options),
      trainer_(model, options.adam),
      losses_({"loss"}, images_.pixels.device()),
      counter_(Tensor::scalar(int64_t{0}, images_.pixels.device())),
      items_(item_range(0, images_.size(), images_.pixels.device())) {
  if (options_.batch < 1) fail(ErrorKind::usage, "a batch of {} images", options_.batch);
  options_.batch = std::min(options_.batch, images_.size());
}

void M1Task::step() {
  if (!options_.schedule.is_constant())
    trainer_.nets().schedule_learning_rate(options_.adam.learning_rate, options_.schedule, counter_);
  const Device device = counter_.device();
  const Tensor items = Tensor::empty({options_.batch}, DType::i64, device);
  kernels::draw_items(items_, items, RandomKey::named(options_.seed, "batch"), counter_);
  const Tensor eps =
      Tensor::empty({model_.config().samples, options_.batch, model_.config().z_size}, DType::f32, device);
  kernels::random_normal(eps, RandomKey::named(options_.seed, "noise/eps"), counter_);
  losses_.add({trainer_.step(images_.gather(items), eps)});
  kernels::increment(counter_);
}

train::Scalars M1Task::evaluate() {
  const TestMode test(model_);
  constexpr int64_t kBatch = 1000;
  double total = 0;
  for (int64_t begin = 0; begin < held_out_.size(); begin += kBatch) {
    const int64_t end = std::min(held_out_.size(), begin + kBatch);
    const Tensor x = held_out_.gather(item_range(begin, end, counter_.device()));
    const Tensor eps = normal_noise({model_.config().samples, end - begin, model_.config().z_size},
                                    RandomKey::named(options_.seed, "noise/evaluate"), begin, x);
    total += model_.loss(Var(x), eps).value().item() * static_cast<double>(end - begin);
  }
  if (held_out_.size() == 0) return {};
  return {{"test_loss", total / static_cast<double>(held_out_.size())}};
}

train::StateDict M1Task::state() {
  train::StateDict state;
  state.meta = model_.meta();
  model_.add_state(state);
  trainer_.nets().add_state(state);
  losses_.add_state(state);
  state.add("counter", counter_);
  return state;
}

M2Task::M2Task(Stack stack, ImageSet images, SplitItems split, ImageSet test, Options options)
    : stack_(stack),
      images_(std::move(images)),
      split_(std::move(split)),
      test_(std::move(test)),
      options_(options),
      trainer_(*stack.m2, options.update, options.alpha, options.adam, options.weights),
      losses_({"loss_labeled", "loss_unlabeled", "loss_classifier"}, images_.pixels.device()),
      counter_(Tensor::scalar(int64_t{0}, images_.pixels.device())) {
  if (options_.batch_labeled < 1 || options_.batch_unlabeled < 0)
    fail(ErrorKind::usage, "batches of {} labelled and {} unlabelled images", options_.batch_labeled,
         options_.batch_unlabeled);
  options_.batch_labeled = std::min(options_.batch_labeled, split_.labeled.numel());
  options_.batch_unlabeled = std::min(options_.batch_unlabeled, split_.unlabeled.numel());
}

Tensor M2Task::draw(const Tensor& pool, int64_t batch, const char* stream) const {
  const Tensor items = Tensor::empty({batch}, DType::i64, counter_.device());
  kernels::draw_items(pool, items, RandomKey::named(options_.seed, stream), counter_);
  return items;
}

Tensor M2Task::noise(int64_t rows, int64_t columns, const char* stream) const {
  const Tensor eps = Tensor::empty({rows, columns}, DType::f32, counter_.device());
  kernels::random_normal(eps, RandomKey::named(options_.seed, stream), counter_);
  return eps;
}

void M2Task::step() {
  if (!options_.schedule.is_constant())
    trainer_.nets().schedule_learning_rate(options_.adam.learning_rate, options_.schedule, counter_);
  const int64_t bl = options_.batch_labeled, bu = options_.batch_unlabeled, z = stack_.m2->config().z_size;
  const Tensor labeled = draw(split_.labeled, bl, "batch/labeled");
  const Tensor unlabeled = draw(split_.unlabeled, bu, "batch/unlabeled");
  const int64_t z1 = stack_.feature_noise();
  const M2Batch batch{
      .x_labeled = stack_.features(images_.gather(labeled), noise(bl, z1, "noise/eps_m1_l")),
      .labels = images_.gather_labels(labeled),
      .x_unlabeled = stack_.features(images_.gather(unlabeled), noise(bu, z1, "noise/eps_m1_u")),
      .eps_labeled = noise(bl, z, "noise/eps_l"),
      .eps_unlabeled = noise(bu * stack_.m2->config().y_size, z, "noise/eps_u"),
  };
  const M2Losses losses = trainer_.step(batch);
  losses_.add({losses.labeled, losses.unlabeled, losses.classifier});
  kernels::increment(counter_);
}

std::vector<std::string> M2Task::metric_names() const {
  std::vector<std::string> names = losses_.names();
  names.push_back("valid_accuracy");
  names.push_back("test_accuracy");
  return names;
}

double M2Task::accuracy_of(const ImageSet& images, const Tensor& items) const {
  const auto predictions = predict(stack_, images, items, RandomKey::named(options_.seed, "noise/evaluate"));
  return accuracy(predictions, images.gather_labels(items).to_vector<int64_t>());
}

train::Scalars M2Task::evaluate() {
  train::Scalars metrics;
  if (split_.validation.numel() > 0)
    metrics.push_back({"valid_accuracy", accuracy_of(images_, split_.validation)});
  if (test_.size() > 0)
    metrics.push_back({"test_accuracy", accuracy_of(test_, item_range(0, test_.size(), counter_.device()))});
  return metrics;
}

train::StateDict M2Task::state() {
  train::StateDict state;
  state.meta = stack_.m2->meta();
  state.meta["split"] = options_.split_id;
  stack_.m2->add_state(state);
  if (stack_.m1) stack_.m1->add_state(state, "m1");
  trainer_.nets().add_state(state);
  losses_.add_state(state);
  state.add("counter", counter_);
  return state;
}

}  // namespace vae::models
