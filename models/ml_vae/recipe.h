#pragma once
// The recipe of the multi-level VAE, and what is read off a trained one.
#include "models/ml_vae/pictures.h"
#include "nn/train/recipe.h"

namespace vae::ml_vae {

/// Of quadratic discriminant analyses of the codes.
struct Probes {
  int64_t fit = 60000;  ///< training images that they are fitted on, random ones of more
  double ridge = 1e-3;  ///< added to the variances of a class
};

/// What probes found: numbers by name, and a line for what is left out of them.
struct Probed {
  nlohmann::ordered_json numbers = nlohmann::ordered_json::object();
  std::vector<std::string> left_out{};
};

inline constexpr int64_t kEvidenceImages = 256;  ///< random test images of the evidence in swap grids

/// Metrics: the three terms of the objective; on the test images, with posterior means, the squared error per
/// pixel with each image's own class code (test_mse_single) and with that of all test images of its label
/// (test_mse_evidence). Groups are the labels.
class MlVaeRecipe : public train::Recipe {
 public:
  struct Settings {
    Config model;
    int64_t batch = 256;
    bool reshuffle = false;  ///< a new order of images in each pass; else all replay the batches of the first
    nn::Adam::Settings adam{};
  };
  /// A batch larger than the set is cut to it.
  MlVaeRecipe(Settings settings, train::Data data, nn::Options options);

  MlVae& model() override { return model_; }
  const train::Data& data() const { return data_; }
  nlohmann::json meta() const override;
  std::vector<train::Group> groups() override { return {{"model", &model_, settings_.adam, {}}}; }
  std::vector<train::Update> updates(const train::Step& step) override;
  int64_t images_per_step() const override { return settings_.batch; }
  int64_t steps_per_pass() const override { return data_.train.size() / settings_.batch; }
  std::vector<std::string> training_metrics() const override {
    return {"loss_reconstruction", "loss_style_kl", "loss_class_kl"};
  }
  std::vector<std::string> evaluation_metrics() const override {
    return {"test_mse_single", "test_mse_evidence"};
  }
  train::Scalars evaluate(const train::Step& step) override;
  void report(report::Summary& summary, const train::Step& step) override;
  PictureSource pictures(const train::Step& step) const;
  /// Losses, reconstruction errors and accuracies of closed-form probes; those that can be computed.
  Probed probe(const train::Step& step, const Probes& probes) const;

 private:
  Settings settings_;
  train::Data data_;
  Tensor items_;
  MlVae model_;
};

}  // namespace vae::ml_vae
