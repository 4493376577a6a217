#pragma once
// The recipes of M1, and of M2 on images or on features of a frozen M1.
#include "models/m1_m2/stack.h"
#include "nn/train/recipe.h"

namespace vae::m1_m2 {

/// What identifies an M1 in a checkpoint.
nlohmann::json meta_of(const M1& model);

/// Metrics: loss, and test_loss, the mean loss of the test images in test mode; nats.
class M1Recipe : public train::Recipe {
 public:
  struct Settings {
    M1Config model;
    int64_t batch = 100;
    nn::Adam::Settings adam = reference_adam(0);
    kernels::Schedule rate = kernels::Schedule::constant(3e-4);
  };
  /// A batch larger than the set is cut to it.
  M1Recipe(Settings settings, train::Data data, nn::Options options);

  M1& model() override { return model_; }
  nlohmann::json meta() const override { return meta_of(model_); }
  std::vector<train::Group> groups() override;
  std::vector<train::Update> updates(const train::Step& step) override;
  int64_t images_per_step() const override { return settings_.batch; }
  int64_t steps_per_pass() const override { return data_.train.size() / settings_.batch; }
  std::vector<std::string> training_metrics() const override { return {"loss"}; }
  std::vector<std::string> evaluation_metrics() const override { return {"test_loss"}; }
  train::Scalars evaluate(const train::Step& step) override;
  void report(report::Summary& summary, const train::Step& step) override;
  double nll(int64_t samples, const train::Step& step) override {
    return importance_nll(model_, data_.test, train::all_items(data_.test), samples, step.key("nll"));
  }

 private:
  Settings settings_;
  train::Data data_;
  Tensor items_;
  M1 model_;
};

/// Metrics: the three losses, nats, valid_accuracy and test_accuracy.
class M2Recipe : public train::Recipe {
 public:
  struct Settings {
    M2Config model;
    std::optional<M1Config> m1{};  ///< the frozen model below, if any
    int64_t batch_labeled = 100, batch_unlabeled = 100;
    M2Objective objective{};
    nn::Adam::Settings adam = reference_adam(5);
    kernels::Schedule rate = kernels::Schedule::constant(3e-4);
  };
  /// Batches larger than their set are cut to it.
  M2Recipe(Settings settings, train::Data data, nn::Options options);

  M2& model() override { return model_; }
  /// The frozen model, in test mode; null without.
  M1* m1() { return m1_ ? &*m1_ : nullptr; }
  Stack stack() { return {&model_, m1()}; }
  nlohmann::json meta() const override;
  void add_state(nn::StateDict& state) override;
  std::vector<train::Group> groups() override { return m2_groups(model_, settings_.adam, settings_.rate); }
  std::vector<train::Update> updates(const train::Step& step) override;
  int64_t images_per_step() const override { return settings_.batch_labeled + settings_.batch_unlabeled; }
  int64_t steps_per_pass() const override;
  std::vector<std::string> training_metrics() const override {
    return {"loss_labeled", "loss_unlabeled", "loss_classifier"};
  }
  std::vector<std::string> evaluation_metrics() const override { return {"valid_accuracy", "test_accuracy"}; }
  train::Scalars evaluate(const train::Step& step) override;
  void report(report::Summary& summary, const train::Step& step) override;
  std::optional<report::Image> preview(const train::Step& step) override;
  report::Picture analogy_picture(const train::Step& step, bool means);
  double nll(int64_t samples, const train::Step& step) override;

 private:
  std::vector<int64_t> predict(const ImageSet& images, const Tensor& items, const train::Step& step);
  Settings settings_;
  train::Data data_;
  M2 model_;
  std::optional<M1> m1_;
};

}  // namespace vae::m1_m2
