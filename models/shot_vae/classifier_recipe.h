#pragma once
// The recipe of a classifier that learns from labelled images alone, and of FixMatch, which learns from
// unlabelled ones, too.
#include "models/shot_vae/classifier.h"
#include "models/shot_vae/deep_recipe.h"
#include "nn/eval/classification.h"

namespace vae::shot_vae {

enum class ClassifierMethod { supervised, fixmatch };

/// Metrics: loss, nats; of FixMatch the losses of both kinds of images and the share of unlabelled ones that
/// count. Of validation and test images loss and accuracy.
class ClassifierRecipe : public DeepRecipe {
 public:
  struct Settings {
    Training training{};
    backbones::Config backbone{};
    int64_t classes = 10;
    ClassifierMethod method = ClassifierMethod::supervised;
    double threshold = 0.95;      ///< of FixMatch
    double unlabeled_weight = 1;  ///< of FixMatch
    int64_t operations = 2;       ///< of FixMatch's strong augmentation
  };
  ClassifierRecipe(const Settings& settings, train::Data data, nn::Options options);

  Classifier& model() override { return model_; }
  nlohmann::json meta() const override;
  std::vector<train::Update> updates(const train::Step& step) override;
  std::vector<std::string> training_metrics() const override;
  std::vector<std::string> evaluation_metrics() const override;
  std::optional<train::MemoryProbe> memory_probe() override;
  void report(report::Summary& summary, const train::Step& step) override;

 private:
  train::Scalars scores(const train::ImageSet& set, const Tensor& items, const std::string& augmentation,
                        const train::Step& step) const override;
  eval::Classification classification(const train::ImageSet& set, const Tensor& items,
                                      const std::string& augmentation, const train::Step& step) const;
  Settings settings_;
  Classifier model_;
};

}  // namespace vae::shot_vae
