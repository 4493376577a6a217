#pragma once
// The ladder VAE (Sonderby et al., arXiv:1602.02282) as the library builds it, its merge being a net of its
// own, and the library author's combination of it with M2. Layers count from the bottom.
#include "models/adgm/model.h"

namespace vae::adgm {

class Ladder : public Model {
 public:
  Ladder(const Config& config, nn::Options options);
  ~Ladder() override;
  std::unique_ptr<Encoded> encode(const Var& x, train::Share images) const override;
  /// z is the top layer's; the others are drawn from the prior on the way down, noise "dec<j>_p".
  Var decode(const Var& z, const Rows& rows, const Step& step) const override;

 private:
  class Inside;
  class Up;
  class Down;
  std::vector<std::unique_ptr<Up>> up_;      // bottom to top
  std::vector<std::unique_ptr<Down>> down_;  // top to bottom
  std::optional<Classifier> classifier_;     // with labels only
  std::optional<Decoder> reconstruction_;
};

}  // namespace vae::adgm
