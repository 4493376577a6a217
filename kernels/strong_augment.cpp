#include "kernels/strong_augment.h"

namespace vae::kernels {

StrongSizes check_strong(In x, In operation, In level, In centre, Out y) {
  VAE_CHECK(x.rank() == 4 && x.shape() == y.shape() && x.dtype() == DType::u8 && y.dtype() == DType::u8 &&
                x.size(3) >= 1 && x.size(3) <= kMaxStrongChannels,
            "strong_augment: {} into {}", x.str(), y.str());
  const auto fits = [&](In t) {
    return t.dtype() == DType::i64 && t.rank() == 2 && t.size(0) == x.size(0) && t.size(1) >= 1;
  };
  VAE_CHECK(fits(operation) && fits(level) && operation.shape() == level.shape(),
            "strong_augment: operations {} and levels {} of {}", operation.str(), level.str(), x.str());
  VAE_CHECK(!centre.defined() || (fits(centre) && centre.size(1) == 2), "strong_augment: centres {} of {}",
            centre.str(), x.str());
  return {x.size(0), x.size(1), x.size(2), x.size(3), operation.size(1)};
}

}  // namespace vae::kernels
