#pragma once
// What a trained SHOT-VAE makes of a set of images, in test mode.
#include "models/shot_vae/source.h"
#include "nn/eval/classification.h"

namespace vae::shot_vae {

/// Means over the images, and what classification is judged by.
struct Evaluation {
  double kl_z = 0, kl_y = 0;  ///< nats
  double log_p = 0;  ///< (sigmoid(logits) - x)^2 / (2 sigma^2), whatever the training's reconstruction
  eval::Classification classification;
  /// log_p + (kl_z + kl_y) / 100, as the published code calls its bound.
  double elbo() const { return log_p + 0.01 * (kl_z + kl_y); }
};

/// Adds a batch: its codes are drawn, noise "eps_bNUMBER" and "unif_bNUMBER".
class Evaluator {
 public:
  Evaluator(const ShotVae& model, const Objective& objective)
      : model_(model), objective_(objective), classification_(model.config().classes) {}
  void add(const Images& images, int64_t number, const train::Step& step);
  /// Of all batches so far, on all ranks that are current.
  Evaluation result();

 private:
  const ShotVae& model_;
  const Objective& objective_;
  double kl_z_ = 0, kl_y_ = 0, log_p_ = 0;
  eval::Classification classification_;
};

}  // namespace vae::shot_vae
