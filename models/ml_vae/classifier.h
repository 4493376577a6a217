#pragma once
// The latent classifier of the published table: how much of the class a frozen code tells a small network.
#include "models/common/loss_meter.h"
#include "models/ml_vae/codes.h"
#include "nn/optimizer.h"
#include "nn/train/trainable.h"

namespace vae::models {

/// Linear, batch norm, leaky ReLU (0.2), twice, then logits.
class LatentClassifier : public nn::Module {
 public:
  LatentClassifier(int64_t z_dim, int64_t hidden, int64_t classes, nn::Options options);
  /// Logits [B, classes] of codes z [B, z_dim].
  Var operator()(const Var& z) const;

 private:
  nn::Linear fc_1_, fc_2_, fc_3_;
  nn::BatchNorm1d bn_1_, bn_2_;
};

inline constexpr int64_t kClassifierHidden = 256;

/// A classifier with its optimiser.
class ClassifierTrainer {
 public:
  ClassifierTrainer(LatentClassifier& net, const nn::Adam::Settings& settings);
  /// One update on codes; the cross-entropy before it, nats, and the logits.
  struct Step {
    Var loss, logits;
  };
  Step step(const Tensor& z, const Tensor& labels);
  nn::Adam& adam() { return adam_; }

 private:
  LatentClassifier& net_;
  nn::FlatParameters parameters_;
  nn::Adam adam_;
};

/// What a classifier sees: style samples, class samples with the evidence of the batch (its labels form the
/// groups, also at test time), or class samples of single images.
enum class CodeKind : int { style, class_evidence, class_single };
inline constexpr std::array<const char*, 3> kCodeKinds{"style", "class_evidence", "class_single"};

/// Three classifiers on the codes of a frozen encoder, one per CodeKind, on the same batches. Metrics: the
/// cross-entropies, nats.
class ClassifierTask : public train::Trainable {
 public:
  struct Options {
    int64_t batch = 128;
    bool reshuffle = false;
    uint64_t seed = 0;
    double noise_std = 0.1;  ///< of the class code of a group
    nn::Adam::Settings adam{.learning_rate = 1e-4, .rule = {}};
    std::string encoder_id = {};  ///< names the encoder: a checkpoint is resumed with the same one only
  };
  ClassifierTask(SetCodes codes, int64_t classes, Options options);
  void step() override;
  std::vector<std::string> metric_names() const override { return losses_.names(); }
  train::Scalars drain() override { return losses_.drain(); }
  train::Scalars evaluate() override { return {}; }
  train::StateDict state() override;
  int64_t images_per_step() const override { return options_.batch; }

  /// Shares of right answers in fresh batches over a shuffled set, whole batches only.
  struct Score {
    double batch_statistics;    ///< batch norm in training mode, as the reference scores
    double running_statistics;  ///< in test mode
  };
  std::array<Score, 3> score(const SetCodes& codes, const char* stream);

 private:
  struct Batch {
    std::array<Tensor, 3> codes;
    Tensor labels;
  };
  struct Net {
    LatentClassifier classifier;
    ClassifierTrainer trainer;
    Net(int64_t z_dim, int64_t classes, nn::Options options, const nn::Adam::Settings& adam)
        : classifier(z_dim, kClassifierHidden, classes, options), trainer(classifier, adam) {}
  };
  Batch draw(const SetCodes& codes, const Tensor& items, const std::string& stream,
             const Tensor& number) const;
  SetCodes codes_;
  int64_t classes_;
  Options options_;
  std::array<std::unique_ptr<Net>, 3> nets_;
  LossMeter losses_;
  Tensor counter_, items_;
};

}  // namespace vae::models
