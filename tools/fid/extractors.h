#pragma once
// The extractors of features by their names.
#include <filesystem>
#include <memory>

#include "models/features/extractor.h"
#include "tools/common/option_table.h"

namespace vae::fid {

struct FeatureOptions {
  std::string name;                 ///< pixels, mnist-cnn or inception
  std::filesystem::path weights{};  ///< empty: where they are looked for, or those trained on MNIST
  int64_t dims = 2048;              ///< features of inception
  std::filesystem::path data_dir{};
  Device device{};
};

/// --features, --weights, --dims.
tool::Option& describe(const tool::OptionTable& table, FeatureOptions& options);

struct Features {
  std::unique_ptr<features::Extractor> extractor;
  std::string weights{};  ///< a digest that tells them from others; empty: none
  std::string about{};    ///< a line for the user
};

/// The extractor of that name for images like these, u8 [n, h, w, c]. That of mnist-cnn is trained where it
/// is not at hand. Throws Error(usage) for another name, or for weights or dims that it has not; Error(io)
/// and Error(data) for weights that are missing or damaged.
Features make_extractor(const FeatureOptions& options, const Tensor& images);

}  // namespace vae::fid
