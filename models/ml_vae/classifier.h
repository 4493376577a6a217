#pragma once
// The latent classifier of the published table: how much of the class a frozen code tells a small network.
#include "models/ml_vae/codes.h"
#include "nn/mlp.h"
#include "nn/train/recipe.h"

namespace vae::ml_vae {

/// Linear, batch norm, leaky ReLU (0.2), twice, then logits.
class LatentClassifier : public nn::Module {
 public:
  LatentClassifier(Module* parent, const std::string& name, int64_t z_dim, int64_t hidden, int64_t classes,
                   uint64_t seed);
  /// Logits [B, classes] of codes z [B, z_dim].
  Var operator()(const Var& z) const { return out_(hidden_(z)); }

 private:
  nn::Mlp hidden_;
  nn::Linear out_;
};

/// What a classifier sees: style samples, class samples with the evidence of the batch (its labels form the
/// groups, also at test time), or class samples of single images.
enum class CodeKind : int { style, class_evidence, class_single };
inline constexpr std::array<const char*, 3> kCodeKinds{"style", "class_evidence", "class_single"};

/// Three classifiers on the codes of a frozen encoder, one per CodeKind, on the same batches, each with an
/// update of its own. Metrics: the cross-entropies, nats.
class ClassifierRecipe : public train::Recipe {
 public:
  struct Settings {
    int64_t batch = 128, hidden = 256;
    bool reshuffle = false;
    double noise_std = 0.1;  ///< of the class code of a group
    nn::Adam::Settings adam{.learning_rate = 1e-4, .rule = {}};
    std::string encoder_id{};  ///< names the encoder: a checkpoint is resumed with the same one only
  };
  ClassifierRecipe(Settings settings, SetCodes codes, int64_t classes, nn::Options options);

  nn::Module& model() override { return root_; }
  nlohmann::json meta() const override;
  std::vector<train::Group> groups() override;
  std::vector<train::Update> updates(const train::Step& step) override;
  int64_t images_per_step() const override { return settings_.batch; }
  int64_t steps_per_pass() const override { return items_.numel() / settings_.batch; }
  std::vector<std::string> training_metrics() const override {
    return {kCodeKinds.begin(), kCodeKinds.end()};
  }
  std::vector<std::string> evaluation_metrics() const override { return {}; }
  train::Scalars evaluate(const train::Step&) override { return {}; }
  void report(report::Summary&, const train::Step&) override {}

  /// Shares of right answers in fresh batches over a shuffled set, whole batches only. Leaves the classifiers
  /// as they are.
  struct Score {
    double batch_statistics;    ///< batch norm in training mode, as the reference scores; of one image alone
                                ///< in test mode
    double running_statistics;  ///< in test mode
  };
  std::array<Score, 3> score(const SetCodes& codes, const std::string& part);

 private:
  struct Batch {
    std::array<Tensor, 3> codes;
    Tensor labels;
  };
  Batch draw(const SetCodes& codes, const Tensor& items, train::Share rows, const train::Step& step,
             const std::string& stream) const;
  Settings settings_;
  SetCodes codes_;
  int64_t classes_;
  nn::Module root_;
  std::array<std::unique_ptr<LatentClassifier>, 3> nets_;
  Tensor items_;
};

}  // namespace vae::ml_vae
