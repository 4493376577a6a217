#pragma once
// Training of the ML-VAE as the training loop sees it. Data, counters and sums live on the device; a step
// reads nothing back.
#include "models/common/image_set.h"
#include "models/common/loss_meter.h"
#include "models/ml_vae/trainer.h"
#include "nn/train/trainable.h"

namespace vae::models {

/// Metrics: the three terms of the objective; on the test images, with posterior means, the squared error per
/// pixel with each image's own class code (test_mse_single) and with that of all test images of its label
/// (test_mse_evidence).
class MlVaeTask : public train::Trainable {
 public:
  struct Options {
    int64_t batch = 256;
    bool reshuffle = false;  ///< a new order of images in each pass; else all replay the batches of the first
    uint64_t seed = 0;
    nn::Adam::Settings adam{};
  };
  /// Groups are the labels 0 to classes - 1. A batch larger than the set is cut to it.
  MlVaeTask(MlVae& model, ImageSet images, ImageSet test, int64_t classes, Options options);
  void step() override;
  std::vector<std::string> metric_names() const override;
  train::Scalars drain() override { return losses_.drain(); }
  train::Scalars evaluate() override;
  train::StateDict state() override;
  int64_t images_per_step() const override { return options_.batch; }
  /// Whole batches in one pass over the images.
  int64_t steps_per_pass() const { return images_.size() / options_.batch; }

 private:
  Tensor noise(int64_t rows, int64_t columns, const char* stream) const;
  MlVae& model_;
  ImageSet images_, test_;
  int64_t classes_;
  Options options_;
  MlVaeTrainer trainer_;
  LossMeter losses_;
  Tensor counter_, items_;
};

}  // namespace vae::models
