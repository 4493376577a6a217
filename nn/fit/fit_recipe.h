#pragma once
// The recipe behind Fit: one group of parameters, Adam, one update.
#include "nn/fit/fit.h"
#include "nn/train/recipe.h"

namespace vae::fit {

class FitRecipe : public train::Recipe {
 public:
  /// `net` must outlive the recipe. Calls the loss once, for the names of its metrics.
  FitRecipe(nn::Module& net, Fit::Loss loss, const FitOptions& options, train::Data data);

  nn::Module& model() override { return net_; }
  nlohmann::json meta() const override { return {{"model", "fit"}}; }
  std::vector<train::Group> groups() override;
  std::vector<train::Update> updates(const Step& step) override;
  int64_t images_per_step() const override { return batch_; }
  int64_t steps_per_pass() const override { return std::max<int64_t>(1, pool_.numel() / batch_); }
  std::vector<std::string> training_metrics() const override { return metrics_; }
  std::vector<std::string> evaluation_metrics() const override;
  train::Scalars evaluate(const Step& step) override;
  void report(report::Summary& summary, const Step& step) override;

  void show(const std::vector<Picture>& pictures) { pictures_ = pictures; }

 private:
  Var images(const train::ImageSet& set, const Tensor& items) const;
  Batch training_batch(const Step& step) const;
  Batch test_batch(const Tensor& items) const;
  /// The loss, its metrics complete with the total.
  Losses losses(const Batch& batch, const Step& step) const;

  nn::Module& net_;
  Fit::Loss loss_;
  double learning_rate_;
  train::Data data_;
  Tensor pool_;  // of x
  int64_t batch_, batch_labeled_ = 0;
  std::vector<std::string> metrics_;
  std::vector<Picture> pictures_;
};

}  // namespace vae::fit
