#pragma once
// M2 of Kingma et al. (arXiv:1406.5298) as the library builds it: q(y|x), q(z|x,y), p(x|y,z) with label
// columns beside the inputs; alone, or stacked on samples of a frozen VAE's q(z|x) (M1+M2).
#include "models/adgm/conv_classifier.h"
#include "models/adgm/vae.h"

namespace vae::adgm {

class M2 : public Model {
 public:
  M2(const Config& config, nn::Options options);
  std::unique_ptr<Encoded> encode(const Var& x, train::Share images) const override;
  Var decode(const Var& z, const Rows& rows, const Step&) const override { return decoder_(z, rows); }
  /// The VAE of the stacked model, not among the parameters.
  Model* frozen() const override { return features_.get(); }
  bool has_importance_weights() const override { return !features_; }

 private:
  class Inside;
  int64_t input_size() const { return features_ ? config_.features_z : config_.x_size; }
  std::unique_ptr<Vae> features_;
  Encoder encoder_;  // (x, y)
  Decoder decoder_;  // (z, y)
  std::optional<Classifier> classifier_;
  std::optional<ConvClassifier> conv_classifier_;
};

}  // namespace vae::adgm
