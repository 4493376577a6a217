#include "models/inception/extractor.h"

#include <algorithm>

namespace vae::features {
namespace {

constexpr int64_t kBatch = 32;  // beyond it little is gained: weights are reordered once for each batch

}  // namespace

InceptionExtractor::InceptionExtractor(const inception::Weights& weights, Device device, int64_t dims)
    : net_(weights.tensors, {.device = device}), device_(device), dims_(dims) {
  inception::check_dims(dims);
}

std::string InceptionExtractor::name() const {
  return dims_ == 2048 ? "inception" : fmt::format("inception-{}", dims_);
}

Tensor InceptionExtractor::operator()(const Tensor& images) const {
  const int64_t n = images.rank() == 0 ? 0 : images.size(0);
  const Tensor features = Tensor::empty({n, dims_});
  for (int64_t begin = 0; begin < n; begin += kBatch) {
    const int64_t end = std::min(n, begin + kBatch);
    const Tensor inputs = inception::inputs(images.slice(begin, end).to(device_));
    features.slice(begin, end).copy_from(net_(inputs, dims_));
  }
  return features;
}

}  // namespace vae::features
