#include "models/shot_vae/classifier_recipe.h"

#include "nn/eval/estimate.h"

namespace vae::shot_vae {
namespace {

SourceSettings source_of(const ClassifierRecipe::Settings& s) {
  SourceSettings source = s.source;
  if (s.method == ClassifierMethod::supervised)
    source.batch = 0, source.labeled_stream = LabeledStream::fresh;
  return source;
}

}  // namespace

ClassifierRecipe::ClassifierRecipe(const Settings& settings, train::Data data, nn::Options options)
    : settings_(settings),
      data_(std::move(data)),
      model_(settings.backbone, settings.classes, options),
      source_(source_of(settings), data_, options.device) {}

nlohmann::json ClassifierRecipe::meta() const {
  return {{"model", "shot_classifier"},
          {"backbone", settings_.net},
          {"channels", settings_.backbone.channels},
          {"classes", settings_.classes}};
}

std::vector<train::Group> ClassifierRecipe::groups() {
  return {{.name = "model",
           .module = &model_,
           .rule = settings_.sgd,
           .rate = settings_.rate.schedule(source_.epoch_length()),
           .average = settings_.average}};
}

std::vector<train::Update> ClassifierRecipe::updates(const train::Step& step) {
  const Images labeled = source_.labeled(step);
  if (settings_.method == ClassifierMethod::supervised)
    return {{.losses = {[=, this] {
               const Var loss = model_.loss(labeled, step);
               step.metric("loss", loss);
               return loss;
             }}}};
  const Images unlabeled = source_.unlabeled(step), distorted = source_.distorted(settings_.operations, step);
  return {{.losses = {[=, this] {
             const auto [of_labeled, of_unlabeled, confident] =
                 model_.fix_match(labeled, unlabeled, distorted, settings_.threshold, step);
             const Var loss = of_labeled + settings_.unlabeled_weight * of_unlabeled;
             step.metric("loss", loss), step.metric("loss_l", of_labeled);
             step.metric("loss_u", of_unlabeled), step.metric("confident", confident);
             return loss;
           }}}};
}

std::vector<std::string> ClassifierRecipe::training_metrics() const {
  if (settings_.method == ClassifierMethod::supervised) return {"loss"};
  return {"loss", "loss_l", "loss_u", "confident"};
}

std::vector<std::string> ClassifierRecipe::evaluation_metrics() const {
  return {"valid_loss", "valid_accuracy", "test_loss", "test_accuracy"};
}

eval::Classification ClassifierRecipe::classification(const train::ImageSet& set, const Tensor& items,
                                                      const std::string& augmentation,
                                                      const train::Step& step) const {
  eval::Classification all(settings_.classes);
  const auto add = [&](int64_t number, const Tensor& of_batch) {
    const Images images = source_.images(set, of_batch, augmentation, step.numbered(number));
    all.add(model_(images.x, of_batch.numel(), step).value(), images.labels);
  };
  eval::for_batches(items, add, source_.evaluation_batch());
  return all;
}

train::Scalars ClassifierRecipe::evaluate(const train::Step& step) {
  train::Scalars all;
  const auto add = [&](const std::string& name, const train::ImageSet& set, const Tensor& items,
                       const std::string& augmentation) {
    if (items.numel() == 0) return;
    const eval::Classification of_set = classification(set, items, augmentation, step);
    all.insert(all.end(), {{name + "_loss", of_set.nll()}, {name + "_accuracy", of_set.accuracy()}});
  };
  add("valid", data_.train, data_.split.validation, settings_.augment_validation ? "augment/valid" : "");
  add("test", data_.test, train::all_items(data_.test), "");
  return all;
}

std::optional<train::Selection> ClassifierRecipe::selection() const {
  if (data_.split.validation.numel() == 0) return {};
  return train::Selection{"valid_accuracy"};
}

std::optional<train::MemoryProbe> ClassifierRecipe::memory_probe() {
  const SourceSettings& s = source_.settings();
  const bool fixmatch = settings_.method == ClassifierMethod::fixmatch;
  const auto loss = [=, this](int64_t n) {
    const nn::Options& options = model_.options();
    const train::Step step(0, Tensor::scalar(int64_t{0}, options.device), options.dtype);
    return model_.loss(blank_images(data_.train, fixmatch ? s.batch_labeled + 2 * n : n, step), step);
  };
  return fixmatch ? train::MemoryProbe{"batch", s.batch, loss}
                  : train::MemoryProbe{"batch-labeled", s.batch_labeled, loss};
}

void ClassifierRecipe::report(report::Summary& summary, const train::Step& step) {
  const bool fixmatch = settings_.method == ClassifierMethod::fixmatch;
  summary.title = fixmatch ? "FixMatch" : "Classifier";
  summary.charts = {{"Accuracy", "share of right predictions", {"valid_accuracy", "test_accuracy"}},
                    {"Loss", "nats per image", {fixmatch ? "loss_l" : "loss", "valid_loss", "test_loss"}}};
  if (fixmatch) summary.charts.push_back({"Confident", "share of unlabelled images", {"confident"}});
  const eval::Classification of_test = classification(data_.test, train::all_items(data_.test), "", step);
  report::add_predictions(summary, of_test.labels(), of_test.predictions(), static_cast<int>(data_.classes),
                          data_.class_names, data_.name, of_test.scores());
}

}  // namespace vae::shot_vae
