#pragma once
// The recipe of the classifier: cross-entropy on grey images and on their thresholded copies, all slightly
// shifted, with Adam at a falling rate.
#include "models/mnist_cnn/mnist_cnn.h"
#include "nn/train/image_set.h"
#include "nn/train/recipe.h"

namespace vae::mnist_cnn {

/// What a net is trained by. With the images it makes the weights, at a fixed number of threads.
struct Settings {
  int64_t features = 128;
  int64_t batch = 128, epochs = 5;  ///< an epoch passes over both copies of the images
  double learning_rate = 2e-3;      ///< at the start; falls to zero along half a cosine
  int64_t shift = 2;                ///< pixels, at most, in each direction
  uint64_t seed = 1;

  nlohmann::json json() const;
};

/// Metrics: loss, nats; of the test images, grey and thresholded, the loss and the share of right answers.
class CnnRecipe : public train::Recipe {
 public:
  /// Sizes and classes are those of the data. A batch larger than both copies of the images is cut to them.
  CnnRecipe(const Settings& settings, const train::Data& data, Device device);

  Net& model() override { return model_; }
  nlohmann::json meta() const override;
  std::vector<train::Group> groups() override;
  std::vector<train::Update> updates(const train::Step& step) override;
  int64_t images_per_step() const override { return settings_.batch; }
  int64_t steps_per_pass() const override { return items_.numel() / settings_.batch; }
  std::vector<std::string> training_metrics() const override { return {"loss"}; }
  std::vector<std::string> evaluation_metrics() const override;
  train::Scalars evaluate(const train::Step& step) override;
  void report(report::Summary& summary, const train::Step& step) override;

 private:
  Settings settings_;
  train::Data data_;
  train::ImageSet both_;  // grey, then thresholded
  Tensor items_;
  Net model_;
};

}  // namespace vae::mnist_cnn
