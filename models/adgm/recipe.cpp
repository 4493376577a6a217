#include "models/adgm/recipe.h"

#include <algorithm>

#include "nn/report/pictures.h"

namespace vae::adgm {
namespace {

/// J, its parts, and the ELBOs where they are something else, as metrics.
std::vector<std::pair<std::string, Var>> named(const SemiLosses& losses) {
  std::vector<std::pair<std::string, Var>> all{{"loss", losses.total},
                                               {"loss_labeled", losses.labeled},
                                               {"loss_unlabeled", losses.unlabeled},
                                               {"loss_classifier", losses.classifier}};
  if (losses.elbo_labeled.defined())
    all.insert(all.end(), {{"elbo_labeled", losses.elbo_labeled}, {"elbo_unlabeled", losses.elbo_unlabeled}});
  return all;
}

std::vector<std::string> loss_names(const Objective& objective) {
  std::vector<std::string> names{"loss", "loss_labeled", "loss_unlabeled", "loss_classifier"};
  if (objective.is_weighted()) names.insert(names.end(), {"elbo_labeled", "elbo_unlabeled"});
  return names;
}

/// The pictures that both recipes show.
void add_pictures(report::Summary& summary, const PictureSource& source) {
  summary.pictures = {
      {"reconstructed_x", report::kReconstructionCaption, [=] { return reconstructions(source); }}};
  if (source.model.config().z.back() > 1)
    summary.pictures.push_back(
        {"codes", "Latent codes of test images on their first two principal axes, coloured by class",
         [=] { return code_axes(source); }});
}

}  // namespace

FamilyRecipe::FamilyRecipe(Settings settings, train::Data data, nn::Options options)
    : settings_(std::move(settings)), data_(std::move(data)), model_(make_model(settings_.model, options)) {}

nlohmann::json meta_of(const Model& model) {
  const Config& c = model.config();
  nlohmann::json meta{{"model", name_of(c.kind)}, {"x_size", c.x_size}, {"z", c.z}};
  if (has_labels(c.kind)) meta["y_size"] = c.y_size;
  return meta;
}

void FamilyRecipe::add_state(nn::StateDict& state) {
  model_->add_state(state);
  if (const Model* frozen = model_->frozen()) frozen->add_state(state, "features");
}

double FamilyRecipe::nll(int64_t samples, const train::Step& step) {
  return importance_nll(*model_, data_.test, train::all_items(data_.test), samples, step);
}

std::map<std::string, eval::ActiveUnits> FamilyRecipe::active_units(const train::Step& step) const {
  return adgm::active_units(*model_, data_.test, train::all_items(data_.test), step);
}

SemiRecipe::SemiRecipe(Settings settings, train::Data data, nn::Options options)
    : FamilyRecipe(std::move(settings), std::move(data), options) {
  const train::SplitItems& split = data_.split;
  if (settings_.batch_labeled < 1 || settings_.batch < 1)
    fail(ErrorKind::usage, "batches of {} labelled and {} unlabelled images", settings_.batch_labeled,
         settings_.batch);
  settings_.batch_labeled = std::min(settings_.batch_labeled, split.labeled.numel());
  if (split.unlabeled.numel() > 0) settings_.batch = std::min(settings_.batch, split.unlabeled.numel());
  positions_ = train::item_range(0, split.labeled.numel(), device());
  labeled_x_ = data_.train.gather(split.labeled, options.dtype);
  labels_ = data_.train.gather_labels(split.labeled);
}

void SemiRecipe::prepare(int64_t iteration) {
  const int64_t epoch = iteration / settings_.iters_per_epoch;
  if (settings_.redraw_labeled || epoch == drawn_epoch_) return;
  drawn_epoch_ = epoch;
  const RandomKey key = RandomKey::named(model_->options().seed, "pixels/labeled");
  labeled_x_.copy_from(
      data_.train.draw(data_.split.labeled, key, Tensor::scalar(epoch, device()), labeled_x_.dtype()));
}

std::vector<train::Update> SemiRecipe::updates(const train::Step& step) {
  const train::Share labeled = step.share(settings_.batch_labeled), unlabeled = step.share(settings_.batch);
  const Tensor rows = step.items("batch/labeled", positions_, labeled, order());
  Tensor x = autograd::gather_rows(Var(labeled_x_), rows).value();
  if (settings_.redraw_labeled && data_.train.inputs == train::Inputs::drawn)
    x = train::draw_pixels(x, step.key("pixels/labeled"), step.draw(), labeled.places());
  const Tensor labels = train::labels_of(labels_, rows);
  const Tensor items = step.items("batch/unlabeled", data_.split.unlabeled, unlabeled, order());
  const SemiBatch batch{
      x, labels,
      data_.train.draw(items, step.key("pixels/unlabeled"), step.draw(), step.dtype(), unlabeled.places()),
      labeled, unlabeled};
  return {{.losses = {[=, this] {
             const SemiLosses losses = semi_supervised_loss(*model_, batch, settings_.objective, step);
             for (const auto& [name, loss] : named(losses)) step.metric(name, loss);
             step.metric("labeled_accuracy", losses.accuracy);
             return losses.total;
           }}}};
}

std::vector<std::string> SemiRecipe::training_metrics() const {
  std::vector<std::string> names = loss_names(settings_.objective);
  names.push_back("labeled_accuracy");
  return names;
}

std::vector<std::string> SemiRecipe::evaluation_metrics() const {
  std::vector<std::string> names;
  for (const std::string prefix : {"valid_", "test_"}) {
    for (const std::string& loss : loss_names(settings_.objective)) names.push_back(prefix + loss);
    names.push_back(prefix + "accuracy");
  }
  return names;
}

void SemiRecipe::evaluate(const ImageSet& images, const Tensor& items, const std::string& prefix,
                          const train::Step& step, train::Scalars& metrics) const {
  if (items.numel() == 0) return;
  const std::vector<std::string> names = loss_names(settings_.objective);
  std::vector<double> sums(names.size());
  eval::for_batches(
      items,
      [&](int64_t number, const Tensor& batch) {
        const train::Step of_batch = step.numbered(number * settings_.batch);
        const int64_t rows = batch.numel();
        const Tensor x = images.draw(batch, step.key("evaluate/pixels"), of_batch.draw());
        const SemiLosses losses = semi_supervised_loss(
            *model_, {x, images.gather_labels(batch), x, rows, rows}, settings_.objective, of_batch);
        size_t i = 0;
        for (const auto& [name, loss] : named(losses))
          sums[i++] += loss.value().item() * static_cast<double>(rows);
      },
      settings_.batch);
  eval::sum_over_ranks(sums);
  for (size_t i = 0; i < sums.size(); ++i)
    metrics.push_back({prefix + names[i], sums[i] / static_cast<double>(items.numel())});
  metrics.push_back({prefix + "accuracy", eval::accuracy(predict(images, items, step),
                                                         images.gather_labels(items).to_vector<int64_t>())});
}

train::Scalars SemiRecipe::evaluate(const train::Step& step) {
  train::Scalars metrics;
  evaluate(data_.train, data_.split.validation, "valid_", step, metrics);
  evaluate(data_.test, train::all_items(data_.test), "test_", step, metrics);
  return metrics;
}

void SemiRecipe::report(report::Summary& summary, const train::Step& step) {
  summary.title = name_of(settings_.model.kind);
  summary.score = "test_accuracy";
  const nlohmann::ordered_json& results = summary.results;
  if (results.contains("test_elbo_unlabeled"))
    summary.lines.push_back(
        fmt::format("test loss {:.3f} nats per image (training objective); ELBO, of KL weight 1, of log p(x) "
                    "{:.3f}, of log "
                    "p(x, y) {:.3f}",
                    results["test_loss"].get<double>(), results["test_elbo_unlabeled"].get<double>(),
                    results["test_elbo_labeled"].get<double>()));
  summary.charts = {
      {"Loss", "nats per image", {"loss", "valid_loss", "test_loss"}},
      {"Bounds",
       "nats per image",
       {"loss_labeled", "loss_unlabeled", "test_loss_labeled", "test_loss_unlabeled"}},
      {"Classification loss", "nats per image", {"loss_classifier", "test_loss_classifier"}},
      {"Accuracy", "share of right predictions", {"labeled_accuracy", "valid_accuracy", "test_accuracy"}}};
  report::add_predictions(summary, data_.test.labels.to_vector<int64_t>(),
                          predict(data_.test, train::all_items(data_.test), step),
                          static_cast<int>(data_.classes), data_.class_names, data_.name);
  if (settings_.objective.is_weighted())
    summary.charts.push_back(
        {"ELBO",
         "nats per image",
         {"elbo_labeled", "elbo_unlabeled", "test_elbo_labeled", "test_elbo_unlabeled"}});
  const PictureSource source = pictures(step);
  add_pictures(summary, source);
  const std::string part = report::shown_of(report::kMostGridClasses, data_.classes);
  summary.pictures.insert(
      summary.pictures.end(),
      {{"conditional", "Samples of " + (part.empty() ? "each class" : part) + ", a latent code per column",
        [=] { return samples(source, -1); }},
       {"analogy", report::analogy_caption(data_.classes), [=] { return analogies(source); }}});
}

UnsupervisedRecipe::UnsupervisedRecipe(Settings settings, train::Data data, nn::Options options)
    : FamilyRecipe(std::move(settings), std::move(data), options), items_(train::all_items(data_.train)) {
  settings_.batch = train::batch_of(settings_.batch, data_.train.size());
}

std::vector<train::Update> UnsupervisedRecipe::updates(const train::Step& step) {
  const train::Share batch = step.share(settings_.batch);
  const Tensor x = data_.train.draw(step.items("batch", items_, batch, order()), step.key("pixels"),
                                    step.draw(), step.dtype(), batch.places());
  return {{.losses = {[=, this] {
             const UnsupervisedLosses losses =
                 unsupervised_loss(*model_, x, batch, settings_.objective, step.in("F"));
             step.metric("loss", losses.total);
             if (losses.elbo.defined()) step.metric("elbo", losses.elbo);
             return losses.total;
           }}}};
}

std::vector<std::string> UnsupervisedRecipe::training_metrics() const {
  return settings_.objective.is_weighted() ? std::vector<std::string>{"loss", "elbo"}
                                           : std::vector<std::string>{"loss"};
}

std::vector<std::string> UnsupervisedRecipe::evaluation_metrics() const {
  std::vector<std::string> names;
  for (const std::string& name : training_metrics()) names.push_back("test_" + name);
  return names;
}

train::Scalars UnsupervisedRecipe::evaluate(const train::Step& step) {
  if (data_.test.size() == 0) return {};
  std::vector<double> sums(2);  // of the loss, of the ELBO
  const auto add = [&](int64_t number, const Tensor& items) {
    const train::Step of_batch = step.numbered(number * settings_.batch);
    const Tensor x = data_.test.draw(items, step.key("evaluate/pixels"), of_batch.draw());
    const UnsupervisedLosses losses =
        unsupervised_loss(*model_, x, items.numel(), settings_.objective, of_batch.in("F"));
    const auto rows = static_cast<double>(items.numel());
    sums[0] += rows * losses.total.value().item();
    if (losses.elbo.defined()) sums[1] += rows * losses.elbo.value().item();
  };
  eval::for_batches(train::all_items(data_.test), add, settings_.batch);
  eval::sum_over_ranks(sums);
  const auto images = static_cast<double>(data_.test.size());
  train::Scalars metrics{{"test_loss", sums[0] / images}};
  if (settings_.objective.is_weighted()) metrics.push_back({"test_elbo", sums[1] / images});
  return metrics;
}

void UnsupervisedRecipe::report(report::Summary& summary, const train::Step& step) {
  summary.title = name_of(settings_.model.kind);
  report::add_test_loss(summary);
  const PictureSource source = pictures(step);
  add_pictures(summary, source);
  summary.pictures.insert(
      summary.pictures.end(),
      {{"samples", "Samples from the prior", [=] { return samples(source, -1); }},
       {"traversals", "One latent variable changed per row", [=] { return traversals(source, 3); }},
       {"interpolation", "Between two test images, in the latent space",
        [=] { return interpolations(source); }}});
}

std::unique_ptr<FamilyRecipe> make_recipe(Settings settings, train::Data data, nn::Options options) {
  if (has_labels(settings.model.kind))
    return std::make_unique<SemiRecipe>(std::move(settings), std::move(data), options);
  return std::make_unique<UnsupervisedRecipe>(std::move(settings), std::move(data), options);
}

}  // namespace vae::adgm
