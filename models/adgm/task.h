#pragma once
// Training tasks of the family: a model, its trainer and its data as the training loop sees them. Everything
// that changes from step to step lies in device tensors of fixed address, which prepare() fills from counts
// alone; the rest of a step reads nothing back and is recorded and replayed (tensor/graph.h).
#include "models/adgm/evaluate.h"
#include "models/adgm/schedule.h"
#include "models/adgm/trainer.h"
#include "models/common/loss_meter.h"
#include "nn/train/trainable.h"
#include "tensor/graph.h"

namespace vae::models::adgm {

/// Positions in a pool in a new random order every epoch, a batch at a time, from the start again when they
/// run out.
class EpochItems {
 public:
  EpochItems(Tensor pool, int64_t batch, RandomKey key);
  /// Moves to batch number `step` of an epoch.
  void move_to(int64_t epoch, int64_t step);
  const Tensor& items() const { return items_; }

 private:
  Tensor pool_, order_, items_;
  RandomKey key_;
  int64_t epoch_ = -1;
};

struct TaskOptions {
  int64_t batch = 64, batch_labeled = 64;
  uint64_t seed = 0;
  std::string split_id;  ///< names the split: a checkpoint is resumed with the same split only
  int64_t iters_per_epoch = 938;
  double alpha = 0;
  WarmUp warm_up;
  Sampler sampler;
  UpdateRule update{nn::Adam::Settings{.learning_rate = 3e-4, .rule = {}}};
  Stairs learning_rate{3e-4};
  Stairs temperature{1};        ///< of the Gumbel VAE
  bool redraw_labeled = false;  ///< pixels of labelled images drawn at every step, else once an epoch
  GraphMode graph = GraphMode::automatic;
  int64_t predict_draws = 1;  ///< of the auxiliary variable, averaged in predictions
};

/// What both tasks share: counting, noise, evaluation batches.
class Task : public train::Trainable {
 public:
  void step() override;
  train::Scalars drain() override { return losses_.drain(); }
  train::StateDict state() override;

 protected:
  Task(Model& model, PixelSet images, PixelSet test, TaskOptions options, std::vector<std::string> losses);
  /// Fills what the step reads from its number.
  virtual void prepare(int64_t iteration) = 0;
  /// One update.
  virtual void iterate() = 0;
  RandomKey key(const std::string& stream) const { return RandomKey::named(options_.seed, stream); }
  Device device() const { return counter_.device(); }
  void set_rates(int64_t epoch);

  Model& model_;
  PixelSet images_, test_;
  TaskOptions options_;
  Trainer trainer_;
  LossMeter losses_;
  Tensor counter_;

 private:
  int64_t iteration_ = -1;  // the counter, on the host; read once
  StepGraph graph_;
};

/// A model with labels. Metrics of training: loss (J) and its parts, nats, and labeled_accuracy; of held-out
/// images the same under valid_ and test_, with accuracy over predict_draws draws.
class SemiTask : public Task {
 public:
  /// Batches larger than their set are cut to it. Unlabelled batches are drawn from labelled images, too.
  SemiTask(Model& model, PixelSet images, SplitItems split, PixelSet test, TaskOptions options);
  std::vector<std::string> metric_names() const override;
  train::Scalars evaluate() override;
  int64_t images_per_step() const override { return options_.batch_labeled + options_.batch; }

 private:
  void prepare(int64_t iteration) override;
  void iterate() override;
  void evaluate(const PixelSet& images, const Tensor& items, const std::string& prefix,
                train::Scalars& metrics);
  Tensor labeled_pixels(RandomKey key, const Tensor& number) const;

  SplitItems split_;
  EpochItems labeled_, unlabeled_;
  Tensor labeled_x_,
      labeled_y_;  // of all labelled images: pixels of this epoch (or grey values), one-hot labels
  Tensor beta_labeled_, beta_unlabeled_;
  int64_t drawn_epoch_ = -1;
};

/// A model without labels; metrics loss and test_loss, nats.
class UnsupervisedTask : public Task {
 public:
  UnsupervisedTask(Model& model, PixelSet images, PixelSet test, TaskOptions options);
  std::vector<std::string> metric_names() const override { return {"loss", "test_loss"}; }
  train::Scalars evaluate() override;
  int64_t images_per_step() const override { return options_.batch; }

 private:
  void prepare(int64_t iteration) override;
  void iterate() override;
  EpochItems items_;
  Tensor beta_;
};

}  // namespace vae::models::adgm
