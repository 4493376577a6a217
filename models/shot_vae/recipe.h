#pragma once
// The recipe of SHOT-VAE, and of the plain semi-supervised bound.
#include "models/shot_vae/evaluate.h"
#include "models/shot_vae/pictures.h"
#include "models/shot_vae/shot_vae.h"
#include "models/shot_vae/source.h"
#include "nn/train/recipe.h"

namespace vae::shot_vae {

/// Which image an unlabelled one is mixed with: any, or the one whose code is nearest.
enum class Partner { random, nearest };

/// Metrics, means over a batch: of labelled (_l) and unlabelled (_u) images reconstruction, divergences,
/// classification, distance of mixed codes (post_z) and loss, nats; kl_inference. Of validation and test
/// images kl_z, kl_y, log_p, elbo (evaluate.h) and accuracy. The best epoch is that of the highest validation
/// accuracy.
class ShotRecipe : public train::Recipe {
 public:
  struct Settings {
    std::string net = "wideresnet-28-2";  ///< the name of model.backbone
    Config model{};
    Method method = Method::shot;
    Objective objective{};
    SourceSettings source{};
    LearningRate rate{};
    nn::Sgd::Settings sgd{.learning_rate = 0.1, .rule = {.momentum = 0.9, .weight_decay = 5e-4}};
    double epsilon = 0.1;  ///< labelled images are mixed by Beta(epsilon, epsilon); 0: not
    Partner partner = Partner::random;
    bool decode_mixed = true;
    bool augment_validation = false;  ///< as the published code does
    double average = 0;               ///< decay of the averaged weights that are evaluated; 0: none
  };
  ShotRecipe(const Settings& settings, train::Data data, nn::Options options);

  ShotVae& model() override { return model_; }
  const train::Data& data() const { return data_; }
  nlohmann::json meta() const override;
  std::vector<train::Group> groups() override;
  std::vector<train::Update> updates(const train::Step& step) override;
  int64_t images_per_step() const override { return source_.images_per_step(); }
  int64_t steps_per_pass() const override { return source_.epoch_length(); }
  void prepare(int64_t iteration) override;
  std::vector<int64_t> sizes(int64_t iteration) const override { return source_.sizes(iteration); }
  std::vector<std::string> training_metrics() const override;
  std::vector<std::string> evaluation_metrics() const override;
  train::Scalars evaluate(const train::Step& step) override;
  std::optional<train::Selection> selection() const override;
  std::optional<train::MemoryProbe> memory_probe() override;
  void report(report::Summary& summary, const train::Step& step) override;
  std::optional<report::Image> preview(const train::Step& step) override;

  /// Of items of a set; images are augmented where `augmentation` names streams.
  Evaluation evaluation(const train::ImageSet& set, const Tensor& items, const std::string& augmentation,
                        const train::Step& step) const;

 private:
  PictureSource pictures() const;
  Settings settings_;
  train::Data data_;
  ShotVae model_;
  Source source_;
  Tensor lambda_l_, lambda_u_;
  Tensor rows_;  // 0, 1, ... of a batch
};

}  // namespace vae::shot_vae
