#pragma once
// The recipe of SHOT-VAE, and of the plain semi-supervised bound.
#include "models/shot_vae/deep_recipe.h"
#include "models/shot_vae/evaluate.h"
#include "models/shot_vae/pictures.h"
#include "models/shot_vae/shot_vae.h"

namespace vae::shot_vae {

/// Which image an unlabelled one is mixed with: any, or the one whose code is nearest.
enum class Partner { random, nearest };

/// Metrics, means over a batch: of labelled (_l) and unlabelled (_u) images reconstruction, divergences,
/// classification, distance of mixed codes (post_z) and loss, nats; kl_inference. Of validation and test
/// images accuracy, kl_z, kl_y, log_p and elbo (evaluate.h).
class ShotRecipe : public DeepRecipe {
 public:
  struct Settings {
    Training training{};
    Config model{};
    Method method = Method::shot;
    Objective objective{};
    double epsilon = 0.1;  ///< labelled images are mixed by Beta(epsilon, epsilon); 0: not
    Partner partner = Partner::random;
    bool decode_mixed = true;
  };
  ShotRecipe(const Settings& settings, train::Data data, nn::Options options);

  ShotVae& model() override { return model_; }
  nlohmann::json meta() const override;
  std::vector<train::Update> updates(const train::Step& step) override;
  void prepare(int64_t iteration) override;
  std::vector<std::string> training_metrics() const override;
  std::vector<std::string> evaluation_metrics() const override;
  std::optional<train::MemoryProbe> memory_probe() override;
  void report(report::Summary& summary, const train::Step& step) override;
  std::optional<report::Image> preview(const train::Step& step) override;

  /// Of items of a set; images are augmented where `augmentation` names streams.
  Evaluation evaluation(const train::ImageSet& set, const Tensor& items, const std::string& augmentation,
                        const train::Step& step) const;

 private:
  train::Scalars scores(const train::ImageSet& set, const Tensor& items, const std::string& augmentation,
                        const train::Step& step) const override;
  PictureSource pictures() const;
  Settings settings_;
  ShotVae model_;
  Tensor lambda_l_, lambda_u_;
  Tensor rows_;  // 0, 1, ... of a batch
};

}  // namespace vae::shot_vae
