#pragma once
// M2 of Kingma et al. (arXiv:1406.5298) as the library builds it: q(y|x), q(z|x,y), p(x|y,z) with label
// columns beside the inputs; alone, or stacked on samples of a frozen VAE's q(z|x) (M1+M2).
#include "models/adgm/model.h"

namespace vae::models::adgm {

class ConvClassifier;
class Vae;

class M2 : public Model {
 public:
  M2(const Config& config, nn::Options options);
  ~M2() override;
  std::unique_ptr<Images> look_at(const Var& x) const override;
  Var decode(const Var& z, const Rows& rows, const Pass& pass) const override;
  void add_weights(train::StateDict& state) override;

  /// The frozen VAE of the stacked model, not among the parameters; null in the plain one.
  Vae* features() const { return features_.get(); }

 private:
  class Look;
  int64_t input_size() const { return features_ ? config_.features_z : config_.x_size; }
  std::unique_ptr<Vae> features_;
  Encoder encoder_;  // (x, y)
  Decoder decoder_;  // (z, y)
  std::unique_ptr<Classifier> classifier_;
  std::unique_ptr<ConvClassifier> conv_classifier_;
};

}  // namespace vae::models::adgm
