#include "models/adgm/task.h"

#include "models/adgm/vae.h"

namespace vae::models::adgm {

EpochItems::EpochItems(Tensor pool, int64_t batch, RandomKey key)
    : pool_(std::move(pool)),
      order_(Tensor::empty({pool_.numel() + batch}, DType::i64, pool_.device())),
      items_(Tensor::empty({batch}, DType::i64, pool_.device())),
      key_(key) {}

void EpochItems::move_to(int64_t epoch, int64_t step) {
  const int64_t n = pool_.numel(), batch = items_.numel();
  if (epoch != epoch_) {
    kernels::draw_items(pool_, order_.slice(0, n), key_, Tensor::scalar(epoch, pool_.device()));
    order_.slice(n, n + batch).copy_from(order_.slice(0, batch));  // a batch may begin at the end
    epoch_ = epoch;
  }
  const int64_t begin = step * batch % n;
  items_.copy_from(order_.slice(begin, begin + batch));
}

Task::Task(Model& model, PixelSet images, PixelSet test, TaskOptions options, std::vector<std::string> losses)
    : model_(model),
      images_(std::move(images)),
      test_(std::move(test)),
      options_(std::move(options)),
      trainer_(model, options_.update),
      losses_(std::move(losses), images_.images.pixels.device()),
      counter_(Tensor::scalar(int64_t{0}, images_.images.pixels.device())),
      graph_(images_.images.pixels.device(), options_.graph) {}

void Task::step() {
  if (iteration_ < 0) iteration_ = static_cast<int64_t>(counter_.item());
  prepare(iteration_);
  graph_.run([this] {
    iterate();
    kernels::increment(counter_);
  });
  ++iteration_;
}

void Task::set_rates(int64_t epoch) {
  if (options_.learning_rate.every > 0)
    trainer_.optimizer().set_learning_rate(options_.learning_rate.at(epoch));
  if (const auto* gumbel = dynamic_cast<GumbelVae*>(&model_))
    kernels::fill(gumbel->temperature(), options_.temperature.at(epoch));
}

train::StateDict Task::state() {
  train::StateDict state;
  state.meta = model_.meta();
  state.meta["split"] = options_.split_id;
  model_.add_weights(state);
  trainer_.add_state(state);
  losses_.add_state(state);
  state.add("counter", counter_);
  return state;
}

SemiTask::SemiTask(Model& model, PixelSet images, SplitItems split, PixelSet test, TaskOptions options)
    : Task(model, std::move(images), std::move(test),
           [&] {
             if (options.batch_labeled < 1 || options.batch < 1)
               fail(ErrorKind::usage, "batches of {} labelled and {} unlabelled images",
                    options.batch_labeled, options.batch);
             options.batch_labeled = std::min(options.batch_labeled, split.labeled.numel());
             options.batch = std::min(options.batch, split.unlabeled.numel());
             return options;
           }(),
           {"loss", "loss_labeled", "loss_unlabeled", "loss_classifier", "labeled_accuracy"}),
      split_(std::move(split)),
      labeled_(item_range(0, split_.labeled.numel(), device()), options_.batch_labeled, key("batch/labeled")),
      unlabeled_(split_.unlabeled, options_.batch, key("batch/unlabeled")),
      labeled_x_(images_.images.gather(split_.labeled)),
      labeled_y_(images_.gather_labels(split_.labeled, model.config().y_size)),
      beta_labeled_(number(0, labeled_x_)),
      beta_unlabeled_(number(0, labeled_x_)) {}

void SemiTask::prepare(int64_t iteration) {
  const int64_t epoch = iteration / options_.iters_per_epoch, step = iteration % options_.iters_per_epoch;
  labeled_.move_to(epoch, step);
  unlabeled_.move_to(epoch, step);
  set_rates(epoch);
  kernels::fill(beta_labeled_, options_.warm_up.beta(2 * iteration + 1));
  kernels::fill(beta_unlabeled_, options_.warm_up.beta(2 * iteration + 2));
  if (options_.redraw_labeled || epoch == drawn_epoch_) return;
  drawn_epoch_ = epoch;
  labeled_x_.copy_from(
      images_.gather(split_.labeled, key("pixels/labeled"), Tensor::scalar(epoch, device())));
}

void SemiTask::iterate() {
  const auto rows_of = [&](const Tensor& all) {
    const Tensor rows = Tensor::empty({labeled_.items().numel(), all.size(1)}, all.dtype(), all.device());
    kernels::gather_rows(all, labeled_.items(), rows);
    return rows;
  };
  Tensor x = rows_of(labeled_x_);
  if (options_.redraw_labeled && images_.drawn) x = draw_pixels(x, key("pixels/labeled"), counter_);
  const SemiBatch batch{.x = x,
                        .y = rows_of(labeled_y_),
                        .u = images_.gather(unlabeled_.items(), key("pixels/unlabeled"), counter_),
                        .beta_labelled = beta_labeled_,
                        .beta_unlabelled = beta_unlabeled_};
  const SemiLosses losses = trainer_.step(batch, options_.alpha, options_.sampler, [&](const char* call) {
    return random_pass(options_.seed, call, counter_, x);
  });
  losses_.add({losses.total.value(), losses.labelled.value(), losses.unlabelled.value(),
               losses.classifier.value(), losses.accuracy});
}

std::vector<std::string> SemiTask::metric_names() const {
  std::vector<std::string> names = losses_.names();
  for (const char* prefix : {"valid_", "test_"})
    for (const char* metric : {"loss", "loss_labeled", "loss_unlabeled", "loss_classifier", "accuracy"})
      names.push_back(std::string(prefix) + metric);
  return names;
}

void SemiTask::evaluate(const PixelSet& images, const Tensor& items, const std::string& prefix,
                        train::Scalars& metrics) {
  if (items.numel() == 0) return;
  const TestMode test(model_);
  double sums[4] = {};
  for (int64_t begin = 0; begin < items.numel(); begin += options_.batch) {
    const Tensor batch = items.slice(begin, std::min(items.numel(), begin + options_.batch));
    const Tensor n = Tensor::scalar(begin, device()), x = images.gather(batch, key("evaluate/pixels"), n);
    const SemiBatch data{x, images.gather_labels(batch, model_.config().y_size), x, beta_labeled_,
                         beta_unlabeled_};
    const SemiLosses losses = semi_supervised_loss(
        model_, data, options_.alpha, options_.sampler,
        [&](const char* call) { return random_pass(options_.seed, std::string("evaluate/") + call, n, x); });
    const Var parts[] = {losses.total, losses.labelled, losses.unlabelled, losses.classifier};
    for (size_t i = 0; i < 4; ++i) sums[i] += parts[i].value().item() * static_cast<double>(batch.numel());
  }
  const char* names[] = {"loss", "loss_labeled", "loss_unlabeled", "loss_classifier"};
  for (size_t i = 0; i < 4; ++i)
    metrics.push_back({prefix + names[i], sums[i] / static_cast<double>(items.numel())});
  metrics.push_back(
      {prefix + "accuracy", accuracy(predict(model_, images, items, options_.predict_draws, options_.seed),
                                     images.images.gather_labels(items).to_vector<int64_t>())});
}

train::Scalars SemiTask::evaluate() {
  train::Scalars metrics;
  evaluate(images_, split_.validation, "valid_", metrics);
  evaluate(test_, item_range(0, test_.images.size(), device()), "test_", metrics);
  return metrics;
}

UnsupervisedTask::UnsupervisedTask(Model& model, PixelSet images, PixelSet test, TaskOptions options)
    : Task(model, std::move(images), std::move(test), std::move(options), {"loss"}),
      items_(item_range(0, images_.images.size(), device()), std::min(options_.batch, images_.images.size()),
             key("batch")),
      beta_(Tensor::zeros({}, DType::f32, device())) {
  if (options_.batch < 1) fail(ErrorKind::usage, "a batch of {} images", options_.batch);
}

void UnsupervisedTask::prepare(int64_t iteration) {
  const int64_t epoch = iteration / options_.iters_per_epoch;
  items_.move_to(epoch, iteration % options_.iters_per_epoch);
  set_rates(epoch);
  kernels::fill(beta_, options_.warm_up.beta(iteration + 1));
}

void UnsupervisedTask::iterate() {
  const Tensor x = images_.gather(items_.items(), key("pixels"), counter_);
  losses_.add({trainer_.step(Var(x), Var(beta_), random_pass(options_.seed, "F", counter_, x))});
}

train::Scalars UnsupervisedTask::evaluate() {
  const TestMode test(model_);
  double sum = 0;
  for (int64_t begin = 0; begin < test_.images.size(); begin += options_.batch) {
    const int64_t end = std::min(test_.images.size(), begin + options_.batch);
    const Tensor n = Tensor::scalar(begin, device());
    const Tensor x = test_.gather(item_range(begin, end, device()), key("evaluate/pixels"), n);
    const Var loss =
        unsupervised_loss(model_, Var(x), Var(beta_), random_pass(options_.seed, "evaluate/F", n, x));
    sum += loss.value().item() * static_cast<double>(end - begin);
  }
  if (test_.images.size() == 0) return {};
  return {{"test_loss", sum / static_cast<double>(test_.images.size())}};
}

}  // namespace vae::models::adgm
