#pragma once
// The recipe of a classifier that learns from labelled images alone, and of FixMatch, which learns from
// unlabelled ones, too.
#include "models/shot_vae/classifier.h"
#include "models/shot_vae/source.h"
#include "nn/eval/classification.h"
#include "nn/train/recipe.h"

namespace vae::shot_vae {

enum class ClassifierMethod { supervised, fixmatch };

/// Metrics: loss, nats; of FixMatch the losses of both kinds of images and the share of unlabelled ones that
/// count. Of validation and test images loss and accuracy. The best epoch is that of the highest validation
/// accuracy.
class ClassifierRecipe : public train::Recipe {
 public:
  struct Settings {
    std::string net = "wideresnet-28-2";  ///< the name of the backbone
    backbones::Config backbone{};
    int64_t classes = 10;
    ClassifierMethod method = ClassifierMethod::supervised;
    SourceSettings source{};
    LearningRate rate{};
    nn::Sgd::Settings sgd{.learning_rate = 0.1, .rule = {.momentum = 0.9, .weight_decay = 5e-4}};
    double threshold = 0.95;          ///< of FixMatch
    double unlabeled_weight = 1;      ///< of FixMatch
    int64_t operations = 2;           ///< of FixMatch's strong augmentation
    bool augment_validation = false;  ///< as the published code does
    double average = 0;               ///< decay of the averaged weights that are evaluated; 0: none
  };
  ClassifierRecipe(const Settings& settings, train::Data data, nn::Options options);

  Classifier& model() override { return model_; }
  nlohmann::json meta() const override;
  std::vector<train::Group> groups() override;
  std::vector<train::Update> updates(const train::Step& step) override;
  int64_t images_per_step() const override { return source_.images_per_step(); }
  int64_t steps_per_pass() const override { return source_.epoch_length(); }
  void prepare(int64_t iteration) override { source_.prepare(iteration); }
  std::vector<int64_t> sizes(int64_t iteration) const override { return source_.sizes(iteration); }
  std::vector<std::string> training_metrics() const override;
  std::vector<std::string> evaluation_metrics() const override;
  train::Scalars evaluate(const train::Step& step) override;
  std::optional<train::Selection> selection() const override;
  std::optional<train::MemoryProbe> memory_probe() override;
  void report(report::Summary& summary, const train::Step& step) override;

 private:
  eval::Classification classification(const train::ImageSet& set, const Tensor& items,
                                      const std::string& augmentation, const train::Step& step) const;
  Settings settings_;
  train::Data data_;
  Classifier model_;
  Source source_;
};

}  // namespace vae::shot_vae
