#pragma once
// The recipe of smooth-ELBO learning: the loss of all images, and that of few labelled ones, in every update.
#include "models/shot_vae/batches.h"
#include "models/shot_vae/smooth.h"
#include "nn/train/image_set.h"
#include "nn/train/meter.h"
#include "nn/train/plateau.h"
#include "nn/train/recipe.h"

namespace vae::shot_vae {

/// Metrics: loss, and of labelled (_l) and unlabelled (_u) images squared error and what the targets cost,
/// nats; cls_loss_l; test_accuracy.
class SmoothRecipe : public train::Recipe {
 public:
  struct Settings {
    SmoothConfig model{};
    SmoothObjective objective{};
    int64_t batch_labeled = 4, batch = 128;
    BatchOrder order = BatchOrder::files;
    nn::Adam::Settings adam{.learning_rate = 5e-4, .rule = {}};
    std::optional<train::Plateau::Settings> plateau{};  ///< of the mean loss of a pass; none: one rate
  };
  /// Batches larger than their set are cut to it. Throws Error(data) for images of another size.
  SmoothRecipe(Settings settings, train::Data data, nn::Options options);

  Smooth& model() override { return model_; }
  const Smooth& model() const { return model_; }
  const train::Data& data() const { return data_; }
  nlohmann::json meta() const override;
  void add_state(nn::StateDict& state) override;
  std::vector<train::Group> groups() override;
  std::vector<train::Update> updates(const train::Step& step) override;
  int64_t images_per_step() const override { return labeled_.batch() + all_.batch(); }
  int64_t steps_per_pass() const override { return all_.count(); }
  void prepare(int64_t iteration) override;
  std::vector<int64_t> sizes(int64_t iteration) const override;
  std::vector<std::string> training_metrics() const override;
  std::vector<std::string> evaluation_metrics() const override { return {"test_accuracy"}; }
  train::Scalars evaluate(const train::Step& step) override;
  void report(report::Summary& summary, const train::Step& step) override;

  /// The loss of both batches, images [n, h, w, c] in [-1, 1].
  Var loss(const Var& unlabeled, train::Share of_unlabeled, const Var& labeled, train::Share of_labeled,
           const Var& labels, const train::Step& step) const;

 private:
  Tensor images(const train::ImageSet& set, const Tensor& items) const;
  std::vector<int64_t> predict_test() const;
  Settings settings_;
  train::Data data_;
  Smooth model_;
  Batches labeled_, all_;
  int64_t iteration_ = 0;
  std::optional<train::Plateau> plateau_;
  train::Meter epoch_loss_;
};

}  // namespace vae::shot_vae
