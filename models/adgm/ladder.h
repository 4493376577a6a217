#pragma once
// The ladder VAE (Sonderby et al., arXiv:1602.02282) as the library builds it, its merge being a net of its
// own, and the library author's combination of it with M2. Layers count from the bottom.
#include "models/adgm/model.h"

namespace vae::models::adgm {

class Ladder : public Model {
 public:
  Ladder(const Config& config, nn::Options options);
  ~Ladder() override;
  std::unique_ptr<Images> look_at(const Var& x) const override;
  /// z is the top layer's; the others are drawn from the prior on the way down, noise "dec<j>_p".
  Var decode(const Var& z, const Rows& rows, const Pass& pass) const override;

 private:
  class Look;
  class Up;
  class Down;
  std::vector<std::unique_ptr<Up>> up_;      // bottom to top
  std::vector<std::unique_ptr<Down>> down_;  // top to bottom
  Decoder reconstruction_;
  std::unique_ptr<Classifier> classifier_;  // with labels only
};

}  // namespace vae::models::adgm
