#include "models/mnist_cnn/recipe.h"

#include <algorithm>

#include "nn/eval/estimate.h"
#include "nn/train/augment.h"

namespace vae::mnist_cnn {
namespace {

Config config_of(const train::Data& data, int64_t features) {
  const Shape& images = data.train.pixels.shape();
  return {images[1], images[2], images[3], data.classes, features};
}

train::ImageSet unit(const train::ImageSet& set) { return {set.pixels, set.labels, train::Inputs::unit}; }

train::ImageSet thresholded(const train::ImageSet& set) {
  return {train::thresholded(set.pixels), set.labels, train::Inputs::unit};
}

/// The mean loss of a set, and the most probable class of each image.
struct Answers {
  double loss = 0;
  std::vector<int64_t> classes{};
};

Answers answers(const Net& net, const train::ImageSet& set, const train::Step& step) {
  Answers answers{0, std::vector<int64_t>(static_cast<size_t>(set.size()))};
  answers.loss =
      eval::mean_loss(train::all_items(set), eval::kBatch, [&](int64_t number, const Tensor& items) {
        const Var logits = net(Var(set.gather(items)));
        const auto classes = train::most_probable(logits.value()).to_vector<int64_t>();
        std::ranges::copy(classes, answers.classes.begin() + number * eval::kBatch);
        return cross_entropy(logits, set.gather_labels(items), items.numel(), step).value().item();
      });
  eval::sum_over_ranks(answers.classes);
  return answers;
}

}  // namespace

nlohmann::json Settings::json() const {
  return {{"features", features},           {"batch", batch}, {"epochs", epochs},
          {"learning_rate", learning_rate}, {"shift", shift}, {"seed", seed}};
}

CnnRecipe::CnnRecipe(const Settings& settings, const train::Data& data, Device device)
    : settings_(settings),
      data_(data),
      both_(train::joined(unit(data.train), thresholded(data.train))),
      items_(train::all_items(both_)),
      model_(config_of(data, settings.features), {DType::f32, device, settings.seed}) {
  const Config& c = model_.config();
  train::check_labeled(data.train);
  settings_.batch = train::batch_of(settings_.batch, both_.size());
  if (settings_.batch < 2) fail(ErrorKind::usage, "batch norm needs two or more images in a batch");
  if (settings_.shift < 0 || settings_.shift >= std::min(c.height, c.width))
    fail(ErrorKind::usage, "images of {}x{} pixels shifted by {}", c.height, c.width, settings_.shift);
  data_.train = unit(data_.train), data_.test = unit(data_.test);
}

nlohmann::json CnnRecipe::meta() const {
  const Config& c = model_.config();
  return {{"model", "mnist-cnn"},   {"height", c.height},   {"width", c.width},
          {"channels", c.channels}, {"classes", c.classes}, {"features", c.features}};
}

std::vector<train::Group> CnnRecipe::groups() {
  const auto rate = kernels::Schedule::decay(settings_.learning_rate, kernels::Decay::cosine,
                                             settings_.epochs * steps_per_pass(), 0);
  return {{"net", &model_, nn::Adam::Settings{}, rate}};
}

std::vector<train::Update> CnnRecipe::updates(const train::Step& step) {
  const train::Share batch = step.share(settings_.batch);
  const Tensor items = step.items("batch", items_, batch);
  const Tensor images = both_.gather(items).reshape(both_.pixels.shape().with_leading(items.numel()));
  const Tensor x = train::shifted(images, settings_.shift, false, "shift", step, batch)
                       .reshape({items.numel(), both_.image_size()});
  const Tensor labels = both_.gather_labels(items);
  return {{.losses = {[=, this] {
             const Var loss = cross_entropy(model_(Var(x)), labels, batch, step);
             step.metric("loss", loss);
             return loss;
           }}}};
}

std::vector<std::string> CnnRecipe::evaluation_metrics() const {
  return {"test_loss", "test_accuracy", "test_loss_thresholded", "test_accuracy_thresholded"};
}

train::Scalars CnnRecipe::evaluate(const train::Step& step) {
  if (data_.test.size() == 0) return {};
  const auto labels = data_.test.labels.to_vector<int64_t>();
  const Answers of_grey = answers(model_, data_.test, step),
                of_bits = answers(model_, thresholded(data_.test), step);
  return {{"test_loss", of_grey.loss},
          {"test_accuracy", eval::accuracy(of_grey.classes, labels)},
          {"test_loss_thresholded", of_bits.loss},
          {"test_accuracy_thresholded", eval::accuracy(of_bits.classes, labels)}};
}

void CnnRecipe::report(report::Summary& summary, const train::Step& step) {
  summary.title = "mnist-cnn";
  summary.charts = {{"Loss", "nats per image", {"loss", "test_loss", "test_loss_thresholded"}},
                    {"Accuracy", "share of right answers", {"test_accuracy", "test_accuracy_thresholded"}}};
  report::add_predictions(summary, data_.test.labels.to_vector<int64_t>(),
                          answers(model_, data_.test, step).classes, static_cast<int>(data_.classes),
                          data_.class_names, data_.name);
  summary.lines.push_back(fmt::format("test accuracy {:.4f} where they are thresholded",
                                      summary.results.value("test_accuracy_thresholded", 0.0)));
}

}  // namespace vae::mnist_cnn
