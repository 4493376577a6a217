#pragma once
// Features of FID-Inception-v3.
#include "models/features/extractor.h"
#include "models/inception/net.h"
#include "models/inception/weights.h"

namespace vae::features {

class InceptionExtractor : public Extractor {
 public:
  /// Of weights (load_weights), on a device. Throws Error(usage) unless dims is 64, 192, 768 or 2048.
  explicit InceptionExtractor(const inception::Weights& weights, Device device = kCpu, int64_t dims = 2048);

  std::string name() const override;
  int64_t width() const override { return dims_; }
  /// Grey or colour images of any size, on any device; the features are on the host. Works on few images at
  /// a time, so that memory does not grow with their number.
  Tensor operator()(const Tensor& images) const override;

 private:
  inception::Net net_;
  Device device_;
  int64_t dims_;
};

}  // namespace vae::features
