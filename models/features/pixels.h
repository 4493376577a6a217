#pragma once
// The bytes of an image as its features.
#include "models/features/extractor.h"

namespace vae::features {

/// "pixels": bytes / 255, rows, columns and channels in one row. Takes images of one size alone.
class Pixels : public Extractor {
 public:
  Pixels(int64_t height, int64_t width, int64_t channels)
      : height_(height), width_(width), channels_(channels) {}
  std::string name() const override { return "pixels"; }
  int64_t width() const override { return height_ * width_ * channels_; }
  Tensor operator()(const Tensor& images) const override;

 private:
  int64_t height_, width_, channels_;
};

}  // namespace vae::features
