#include "models/shot_vae/classifier_recipe.h"

#include "nn/eval/estimate.h"

namespace vae::shot_vae {
namespace {

/// Of labelled images alone where nothing else is learnt from.
Training training_of(const ClassifierRecipe::Settings& s) {
  Training training = s.training;
  if (s.method == ClassifierMethod::supervised)
    training.source.batch = 0, training.source.labeled_stream = LabeledStream::fresh;
  return training;
}

}  // namespace

ClassifierRecipe::ClassifierRecipe(const Settings& settings, train::Data data, nn::Options options)
    : DeepRecipe(training_of(settings), std::move(data), options.device),
      settings_(settings),
      model_(settings.backbone, settings.classes, options) {}

nlohmann::json ClassifierRecipe::meta() const {
  return {{"model", "shot_classifier"},
          {"backbone", training().net},
          {"channels", settings_.backbone.channels},
          {"classes", settings_.classes}};
}

std::vector<train::Update> ClassifierRecipe::updates(const train::Step& step) {
  const Images labeled = source().labeled(step);
  if (settings_.method == ClassifierMethod::supervised)
    return {{.losses = {[=, this] {
               const Var loss = model_.loss(labeled, step);
               step.metric("loss", loss);
               return loss;
             }}}};
  const Images unlabeled = source().unlabeled(step),
               distorted = source().distorted(settings_.operations, step);
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
    const Images images = source().images(set, of_batch, augmentation, step.numbered(number));
    all.add(model_(images.x, of_batch.numel(), step).value(), images.labels);
  };
  eval::for_batches(items, add, source().evaluation_batch());
  all.gather();
  return all;
}

train::Scalars ClassifierRecipe::scores(const train::ImageSet& set, const Tensor& items,
                                        const std::string& augmentation, const train::Step& step) const {
  const eval::Classification of_set = classification(set, items, augmentation, step);
  return {{"loss", of_set.nll()}, {"accuracy", of_set.accuracy()}};
}

std::optional<train::MemoryProbe> ClassifierRecipe::memory_probe() {
  const SourceSettings& s = source().settings();
  const bool fixmatch = settings_.method == ClassifierMethod::fixmatch;
  const auto loss = [=, this](int64_t n) {
    const auto [step, images] = Blank(data().train, fixmatch ? s.batch_labeled + 2 * n : n, model_.options());
    return model_.loss(images, step);
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
  const eval::Classification of_test = classification(data().test, train::all_items(data().test), "", step);
  report::add_predictions(summary, of_test.labels(), of_test.predictions(), static_cast<int>(data().classes),
                          data().class_names, data().name, of_test.scores());
}

}  // namespace vae::shot_vae
