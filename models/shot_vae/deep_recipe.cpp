#include "models/shot_vae/deep_recipe.h"

namespace vae::shot_vae {

DeepRecipe::DeepRecipe(const Training& training, train::Data data, Device device)
    : training_(training), data_(std::move(data)), source_(training.source, data_, device) {}

std::vector<train::Group> DeepRecipe::groups() {
  return {{.name = "model",
           .module = &model(),
           .rule = training_.sgd,
           .rate = training_.rate.schedule(source_.epoch_length()),
           .average = training_.average}};
}

train::Scalars DeepRecipe::evaluate(const train::Step& step) {
  train::Scalars all;
  const auto add = [&](const std::string& name, const train::ImageSet& set, const Tensor& items,
                       const std::string& augmentation) {
    if (items.numel() == 0) return;
    for (const train::Scalar& score : scores(set, items, augmentation, step.in(name)))
      all.push_back({name + "_" + score.name, score.value});
  };
  add("valid", data_.train, data_.split.validation, training_.augment_validation ? "augment/valid" : "");
  add("test", data_.test, train::all_items(data_.test), "");
  return all;
}

std::optional<train::Selection> DeepRecipe::selection() const {
  if (data_.split.validation.numel() == 0) return {};
  return train::Selection{"valid_accuracy"};
}

}  // namespace vae::shot_vae
