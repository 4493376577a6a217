#pragma once
// The features of a trained classifier, and where trained ones are kept.
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "models/features/extractor.h"
#include "models/mnist_cnn/recipe.h"
#include "nn/fit/images.h"

namespace vae::mnist_cnn {

class MnistCnn : public features::Extractor {
 public:
  /// Of a trained net. `meta`: what is known of it, as it stands in its file.
  MnistCnn(std::unique_ptr<Net> net, nlohmann::json meta);

  std::string name() const override { return "mnist-cnn"; }
  int64_t width() const override { return net_->config().features; }
  /// Features, on the host. Images have the sizes and channels of those that the net was trained on.
  Tensor operator()(const Tensor& images) const override;

  const nlohmann::json& meta() const { return meta_; }
  /// One line: what it was trained on, and how it classifies the test images.
  std::string about() const;

 private:
  std::unique_ptr<Net> net_;
  nlohmann::json meta_;
};

/// From a file that trained() has left, wherever it lies. Throws Error(io) where it cannot be read,
/// Error(data) where it is something else or damaged: a digest in it covers every byte that counts.
std::unique_ptr<MnistCnn> load(const std::filesystem::path& file, Device device = kCpu);

/// The extractor of a training set on the device of the images. The first call trains it, in minutes: a run
/// in the folder mnist-cnn-KEY of `cache` (empty: of the user's cache), that goes on where it was
/// interrupted. Its weights.safetensors, which appears when it is complete, serves later calls. KEY tells
/// training images, labels and settings apart. Throws as load() does, Error(data) for the weights of another
/// training, and as train::run_loop() does.
std::unique_ptr<MnistCnn> trained(const fit::Images& images, const Settings& settings = {},
                                  const std::filesystem::path& cache = {});

}  // namespace vae::mnist_cnn
