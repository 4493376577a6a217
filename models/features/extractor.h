#pragma once
// Features of images, in whose space sets of images are compared.
#include <string>

#include "tensor/tensor.h"

namespace vae::features {

class Extractor {
 public:
  virtual ~Extractor() = default;
  /// As it is printed: "inception", "mnist-cnn", "pixels".
  virtual std::string name() const = 0;
  virtual int64_t width() const = 0;  ///< features per image
  /// Features f32 [n, width] of images u8 [n, h, w, c], on the host; deterministic, row i depends on image i
  /// alone. Throws Error(data) for sizes it cannot take.
  virtual Tensor operator()(const Tensor& images) const = 0;
};

}  // namespace vae::features
