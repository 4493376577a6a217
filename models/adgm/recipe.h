#pragma once
// The recipes of the family: models with labels, and without.
#include "models/adgm/pictures.h"
#include "nn/train/recipe.h"

namespace vae::adgm {

struct Settings {
  Config model;
  Objective objective{};
  int64_t batch = 64, batch_labeled = 64;
  int64_t iters_per_epoch = 938;  ///< after which batches come in a new order
  nn::OptimizerSettings rule = nn::Adam::Settings{.learning_rate = 3e-4, .rule = {}};
  train::Rate rate{};
  bool redraw_labeled = false;  ///< pixels of labelled images drawn at every step, else once an epoch
  int64_t predict_draws = 1;    ///< of the auxiliary variable, averaged in predictions
};

/// What identifies a model in a checkpoint.
nlohmann::json meta_of(const Model& model);

/// What both recipes share. Batches larger than their set are cut to it.
class FamilyRecipe : public train::Recipe {
 public:
  Model& model() override { return *model_; }
  /// The test set as the pictures show it.
  PictureSource pictures(const train::Step& step) const {
    return {*model_, data_.test, data_.class_names, step};
  }
  nlohmann::json meta() const override { return meta_of(*model_); }
  void add_state(nn::StateDict& state) override;
  std::vector<train::Group> groups() override {
    return {{"model", model_.get(), settings_.rule, settings_.rate}};
  }
  double nll(int64_t samples, const train::Step& step) override;
  /// Of the test images.
  std::map<std::string, eval::ActiveUnits> active_units(const train::Step& step) const;

 protected:
  FamilyRecipe(Settings settings, train::Data data, nn::Options options);
  /// The order of batches: a new one every epoch, from the start again when it runs out.
  kernels::Order order() const { return {.period = settings_.iters_per_epoch}; }
  Device device() const { return data_.train.device(); }
  Settings settings_;
  train::Data data_;
  std::unique_ptr<Model> model_;
};

/// A model with labels. Metrics of training: loss (J) and its parts, nats, where a KL has another weight than
/// 1 elbo_labeled and elbo_unlabeled (of SemiLosses), and labeled_accuracy; of held-out
/// images the same under valid_ and test_, with accuracy over predict_draws draws. Unlabelled batches are
/// drawn from labelled images, too.
class SemiRecipe : public FamilyRecipe {
 public:
  SemiRecipe(Settings settings, train::Data data, nn::Options options);
  void prepare(int64_t iteration) override;
  std::vector<train::Update> updates(const train::Step& step) override;
  int64_t images_per_step() const override { return settings_.batch_labeled + settings_.batch; }
  int64_t steps_per_pass() const override { return data_.split.unlabeled.numel() / settings_.batch; }
  std::vector<std::string> training_metrics() const override;
  std::vector<std::string> evaluation_metrics() const override;
  train::Scalars evaluate(const train::Step& step) override;
  void report(report::Summary& summary, const train::Step& step) override;

 private:
  /// With the same noise in evaluation and report.
  std::vector<int64_t> predict(const ImageSet& images, const Tensor& items, const train::Step& step) const {
    return adgm::predict(*model_, images, items, settings_.predict_draws, step.root());
  }
  void evaluate(const ImageSet& images, const Tensor& items, const std::string& prefix,
                const train::Step& step, train::Scalars& metrics) const;
  Tensor positions_;  // of the labelled images among themselves
  Tensor labeled_x_;  // inputs of all of them: pixels of this epoch, or grey values
  Tensor labels_;     // i64
  int64_t drawn_epoch_ = -1;
};

/// A model without labels. Metrics: loss and test_loss, nats; where the KL has another weight than 1, at
/// first or always, elbo and test_elbo beside them: the bound on log p(x) whose weight is 1.
class UnsupervisedRecipe : public FamilyRecipe {
 public:
  UnsupervisedRecipe(Settings settings, train::Data data, nn::Options options);
  std::vector<train::Update> updates(const train::Step& step) override;
  int64_t images_per_step() const override { return settings_.batch; }
  int64_t steps_per_pass() const override { return data_.train.size() / settings_.batch; }
  std::vector<std::string> training_metrics() const override;
  std::vector<std::string> evaluation_metrics() const override;
  train::Scalars evaluate(const train::Step& step) override;
  void report(report::Summary& summary, const train::Step& step) override;

 private:
  Tensor items_;
};

std::unique_ptr<FamilyRecipe> make_recipe(Settings settings, train::Data data, nn::Options options);

}  // namespace vae::adgm
