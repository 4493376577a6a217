#pragma once
// The auxiliary deep generative model: q(a|x) q(y|x,a) q(z|x,y,a), p(z) p(y) p(x|y,z) p(a|x,y,z); and its
// skip variant SDGM, where the decoder sees a as well and p(a|y,z) does not see x.
#include "models/adgm/model.h"

namespace vae::adgm {

class Adgm : public Model {
 public:
  Adgm(const Config& config, nn::Options options);
  std::unique_ptr<Encoded> encode(const Var& x, train::Share images) const override;
  /// The skip variant draws a from p(a|y,z), noise "p_a".
  Var decode(const Var& z, const Rows& rows, const Step& step) const override;

 private:
  class Inside;
  /// p(a|y,z) of the skip variant.
  Gaussian prior_without_x(const Var& z, const Rows& rows) const;
  /// p(x|y,z), which sees a in the skip variant only.
  Var logits(const Var& z, const Var& a, const Rows& rows) const;
  bool skip() const { return config_.kind == Kind::sdgm; }
  Encoder encoder_;        // (x, y, a)
  Decoder decoder_;        // (z, y), or (z, y, a)
  Classifier classifier_;  // (x, a)
  Encoder aux_encoder_;    // x
  Encoder aux_decoder_;    // (x, y, z), or (z, y)
};

}  // namespace vae::adgm
