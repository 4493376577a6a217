#include "models/m1_m2/recipe.h"

#include <algorithm>

#include "nn/eval/estimate.h"
#include "nn/report/pictures.h"

namespace vae::m1_m2 {
namespace {

const char* name_of(LikelihoodKind kind) {
  return kind == LikelihoodKind::bernoulli ? "bernoulli" : "gaussian";
}

/// Reconstructions and latent codes of random test images, made once when the first of the pictures is.
struct Shown {
  Tensor originals;
  Reconstruction of;
  std::vector<int64_t> labels;
};

template <class Reconstruct>
void add_pictures(report::Summary& summary, const train::Data& data, int64_t count, int64_t z_size,
                  const train::Step& step, const Reconstruct& reconstruct) {
  const ImageSet& test = data.test;
  const auto shown = [=, made = std::make_shared<std::optional<Shown>>()]() -> const Shown& {
    const Tensor items = train::random_items(test, count, step.key("pictures"));
    if (!*made)
      made->emplace(Shown{test.originals(items), reconstruct(test.gather(items), step.key("pictures/z")),
                          test.gather_labels(items).to_vector<int64_t>()});
    return **made;
  };
  summary.pictures.push_back(
      {"reconstructed_x", report::kReconstructionCaption, [=, shape = test.pixels.shape()] {
         return report::reconstruction_picture(shown().originals, shown().of.images, shape);
       }});
  if (z_size < 2) return;
  summary.pictures.push_back({"latent_code", "Latent codes of test images, first two variables", [=] {
                                report::Scatter scatter = report::code_scatter(shown().of.z);
                                scatter.title = "Latent codes";
                                return report::scatter_figure(scatter);
                              }});
  summary.pictures.push_back({"labeled_z", "The same, coloured by class", [=, names = data.class_names] {
                                report::Scatter scatter =
                                    report::code_scatter(shown().of.z, shown().labels, names);
                                scatter.title = "Latent codes by class";
                                scatter.range = {{-4, 4}};
                                return report::scatter_figure(scatter);
                              }});
}

}  // namespace

M1Recipe::M1Recipe(Settings settings, train::Data data, nn::Options options)
    : settings_(std::move(settings)),
      data_(std::move(data)),
      items_(train::all_items(data_.train)),
      model_(settings_.model, options) {
  settings_.batch = train::batch_of(settings_.batch, data_.train.size());
}

nlohmann::json meta_of(const M1& model) {
  const M1Config& c = model.config();
  return {{"model", "m1"}, {"decoder", name_of(c.decoder)}, {"x_size", c.x_size}, {"z_size", c.z_size}};
}

std::vector<train::Group> M1Recipe::groups() {
  return {{"encoder", &model_.encoder(), settings_.adam, settings_.rate},
          {"decoder", &model_.decoder(), settings_.adam, settings_.rate}};
}

std::vector<train::Update> M1Recipe::updates(const train::Step& step) {
  const train::Share batch = step.share(settings_.batch);
  const Tensor x = data_.train.gather(step.items("batch", items_, batch), step.dtype());
  return {{.losses = {[=, this] {
             const Var loss = model_.loss(x, batch, step);
             step.metric("loss", loss);
             return loss;
           }}}};
}

train::Scalars M1Recipe::evaluate(const train::Step& step) {
  if (data_.test.size() == 0) return {};
  const auto loss = [&](int64_t number, const Tensor& items) {
    const train::Step of_batch = step.numbered(number * eval::kBatch);
    return model_.loss(data_.test.gather(items), items.numel(), of_batch).value().item();
  };
  return {{"test_loss", eval::mean_loss(train::all_items(data_.test), eval::kBatch, loss)}};
}

void M1Recipe::report(report::Summary& summary, const train::Step& step) {
  summary.title = "M1";
  report::add_test_loss(summary);
  add_pictures(summary, data_, 5000, model_.config().z_size, step,
               [this](const Tensor& x, RandomKey key) { return reconstruct(model_, x, key); });
}

M2Recipe::M2Recipe(Settings settings, train::Data data, nn::Options options)
    : settings_(std::move(settings)), data_(std::move(data)), model_(settings_.model, options) {
  if (settings_.batch_labeled < 1 || settings_.batch_unlabeled < 0)
    fail(ErrorKind::usage, "batches of {} labelled and {} unlabelled images", settings_.batch_labeled,
         settings_.batch_unlabeled);
  settings_.batch_labeled = std::min(settings_.batch_labeled, data_.split.labeled.numel());
  settings_.batch_unlabeled = std::min(settings_.batch_unlabeled, data_.split.unlabeled.numel());
  if (!settings_.m1) return;
  m1_.emplace(*settings_.m1, options);
  m1_->freeze();
}

nlohmann::json M2Recipe::meta() const {
  const M2Config& c = model_.config();
  return {{"model", "m2"},
          {"decoder", name_of(c.decoder)},
          {"x_size", c.x_size},
          {"y_size", c.y_size},
          {"z_size", c.z_size}};
}

void M2Recipe::add_state(nn::StateDict& state) {
  model_.add_state(state);
  if (m1_) m1_->add_state(state, "m1");
}

int64_t M2Recipe::steps_per_pass() const {
  return settings_.batch_unlabeled > 0 ? data_.split.unlabeled.numel() / settings_.batch_unlabeled : 1;
}

std::vector<train::Update> M2Recipe::updates(const train::Step& step) {
  const auto features = [&](const Tensor& items, train::Share batch, const char* noise) {
    const Tensor x = data_.train.gather(items, step.dtype());
    return m1_ ? stack().features(x, step.normal(noise, batch, m1_->config().z_size).value()) : x;
  };
  const train::Share labeled = step.share(settings_.batch_labeled),
                     unlabeled = step.share(settings_.batch_unlabeled);
  const Tensor items = step.items("batch/labeled", data_.split.labeled, labeled);
  const M2Batch batch{.x_labeled = features(items, labeled, "eps_m1_l"),
                      .labels = data_.train.gather_labels(items),
                      .x_unlabeled = features(step.items("batch/unlabeled", data_.split.unlabeled, unlabeled),
                                              unlabeled, "eps_m1_u"),
                      .labeled = labeled,
                      .unlabeled = unlabeled};
  return m2_updates(model_, settings_.objective, batch, step);
}

std::vector<int64_t> M2Recipe::predict(const ImageSet& images, const Tensor& items, const train::Step& step) {
  return m1_m2::predict(stack(), images, items, step.key("noise/evaluate"));
}

train::Scalars M2Recipe::evaluate(const train::Step& step) {
  train::Scalars metrics;
  const auto add = [&](const char* name, const ImageSet& images, const Tensor& items) {
    if (items.numel() == 0) return;
    metrics.push_back({name, eval::accuracy(predict(images, items, step),
                                            images.gather_labels(items).to_vector<int64_t>())});
  };
  add("valid_accuracy", data_.train, data_.split.validation);
  add("test_accuracy", data_.test, train::all_items(data_.test));
  return metrics;
}

void M2Recipe::report(report::Summary& summary, const train::Step& step) {
  summary.title = m1_ ? "M1+M2" : "M2";
  summary.score = "test_accuracy";
  summary.charts = {{"Bounds", "nats per image", {"loss_labeled", "loss_unlabeled"}},
                    {"Classification loss", "nats per image", {"loss_classifier"}},
                    {"Accuracy", "share of right predictions", {"valid_accuracy", "test_accuracy"}}};
  report::add_predictions(summary, data_.test.labels.to_vector<int64_t>(),
                          predict(data_.test, train::all_items(data_.test), step),
                          static_cast<int>(data_.classes), data_.class_names, data_.name);
  if (summary.results.contains("valid_accuracy"))
    summary.headline.push_back(
        {"validation accuracy",
         fmt::format("{:.2f} %", 100 * summary.results["valid_accuracy"].get<double>())});
  add_pictures(summary, data_, m1_ ? 10000 : 5000, model_.config().z_size, step,
               [this](const Tensor& x, RandomKey key) { return reconstruct(stack(), x, key); });
  summary.pictures.push_back({"analogy", report::analogy_caption(data_.classes),
                              [=, this] { return analogy_picture(step, false); }});
}

std::optional<report::Image> M2Recipe::preview(const train::Step& step) {
  const Tensor shown = train::random_items(data_.test, 100, step.key("pictures"));
  const Reconstruction r = reconstruct(stack(), data_.test.gather(shown), step.key("pictures/z"));
  return report::reconstruction_picture(data_.test.originals(shown), r.images, data_.test.pixels.shape());
}

report::Picture M2Recipe::analogy_picture(const train::Step& step, bool means) {
  const Tensor items = train::random_items(data_.test, 10, step.key("analogy"));
  const Tensor decoded = analogy(stack(), data_.test.gather(items), step.key("analogy/z"), means);
  return report::analogy_picture(data_.test.originals(items), decoded, data_.test.pixels.shape());
}

double M2Recipe::nll(int64_t samples, const train::Step& step) {
  return importance_nll(stack(), data_.test, train::all_items(data_.test), samples, step.key("nll"));
}

}  // namespace vae::m1_m2
