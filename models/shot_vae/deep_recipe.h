#pragma once
// What recipes on deep backbones have in common: how they are fed, their rate of learning, and the sets that
// are evaluated.
#include "models/shot_vae/objective.h"
#include "models/shot_vae/source.h"
#include "nn/train/recipe.h"

namespace vae::shot_vae {

struct Training {
  std::string net = "wideresnet-28-2";  ///< the name of the backbone
  SourceSettings source{};
  LearningRate rate{};
  nn::Sgd::Settings sgd{.learning_rate = 0.1, .rule = {.momentum = 0.9, .weight_decay = 5e-4}};
  bool augment_validation = false;  ///< as the published code does
  double average = 0;               ///< decay of the averaged weights that are evaluated; 0: none
};

/// The best epoch is that of the highest validation accuracy.
class DeepRecipe : public train::Recipe {
 public:
  DeepRecipe(const Training& training, train::Data data, Device device);

  const train::Data& data() const { return data_; }
  std::vector<train::Group> groups() override;
  int64_t images_per_step() const override { return source_.images_per_step(); }
  int64_t steps_per_pass() const override { return source_.epoch_length(); }
  void prepare(int64_t iteration) override { source_.prepare(iteration); }
  std::vector<int64_t> sizes(int64_t iteration) const override { return source_.sizes(iteration); }
  train::Scalars evaluate(const train::Step& step) override;
  std::optional<train::Selection> selection() const override;

 protected:
  /// Metrics of items of a set, named without it; images are augmented where `augmentation` names streams.
  virtual train::Scalars scores(const train::ImageSet& set, const Tensor& items,
                                const std::string& augmentation, const train::Step& step) const = 0;

  const Training& training() const { return training_; }
  const Source& source() const { return source_; }

 private:
  Training training_;
  train::Data data_;
  Source source_;
};

}  // namespace vae::shot_vae
