#pragma once
// Training tasks: a model, its trainer and its data as the training loop sees them. Data, counters and sums
// live on the device; a step reads nothing back.
#include "models/common/loss_meter.h"
#include "models/m1_m2/stack.h"
#include "models/m1_m2/trainer.h"
#include "nn/schedule.h"
#include "nn/train/trainable.h"

namespace vae::models {

/// M1 on all images; metric test_loss is the mean loss of the held-out images in test mode, nats.
class M1Task : public train::Trainable {
 public:
  struct Options {
    int64_t batch = 100;
    uint64_t seed = 0;
    nn::Adam::Settings adam = reference_adam(0);
    nn::Schedule schedule{};
  };
  M1Task(M1& model, ImageSet images, ImageSet held_out, Options options);
  void step() override;
  std::vector<std::string> metric_names() const override { return {"loss", "test_loss"}; }
  train::Scalars drain() override { return losses_.drain(); }
  train::Scalars evaluate() override;
  train::StateDict state() override;
  int64_t images_per_step() const override { return options_.batch; }

 private:
  M1& model_;
  ImageSet images_, held_out_;
  Options options_;
  M1Trainer trainer_;
  LossMeter losses_;
  Tensor counter_, items_;
};

/// M2 on images, or on features of a frozen M1. Metrics: the three losses, nats, valid_accuracy and
/// test_accuracy.
class M2Task : public train::Trainable {
 public:
  struct Options {
    int64_t batch_labeled = 100, batch_unlabeled = 100;
    uint64_t seed = 0;
    std::string split_id;  ///< names the split: a checkpoint is resumed with the same split only
    double alpha = 1;
    M2Update update = M2Update::separate;
    BoundWeights weights;
    nn::Adam::Settings adam = reference_adam(5);
    nn::Schedule schedule{};
  };
  /// Batches larger than their set are cut to it.
  M2Task(Stack stack, ImageSet images, SplitItems split, ImageSet test, Options options);
  void step() override;
  std::vector<std::string> metric_names() const override;
  train::Scalars drain() override { return losses_.drain(); }
  train::Scalars evaluate() override;
  train::StateDict state() override;
  int64_t images_per_step() const override { return options_.batch_labeled + options_.batch_unlabeled; }

 private:
  double accuracy_of(const ImageSet& images, const Tensor& items) const;
  Tensor draw(const Tensor& pool, int64_t batch, const char* stream) const;
  Tensor noise(int64_t rows, int64_t columns, const char* stream) const;
  Stack stack_;
  ImageSet images_;
  SplitItems split_;
  ImageSet test_;
  Options options_;
  M2Trainer trainer_;
  LossMeter losses_;
  Tensor counter_;
};

}  // namespace vae::models
