#pragma once
// The published update: one Adam over encoder and decoder.
#include "models/ml_vae/ml_vae.h"
#include "nn/optimizer.h"

namespace vae::models {

class MlVaeTrainer {
 public:
  MlVaeTrainer(MlVae& model, const nn::Adam::Settings& settings);
  /// One update on images x [B, x_size]; the losses before it, on the device. In detached mode the class
  /// heads have no gradient and stay as they are.
  MlVaeLosses step(const Tensor& x, const Groups& groups, const MlVaeNoise& noise,
                   MlVaeTrace* trace = nullptr);
  nn::Adam& adam() { return adam_; }

 private:
  MlVae& model_;
  nn::FlatParameters parameters_;
  nn::Adam adam_;
};

}  // namespace vae::models
