#pragma once
// The images a run is about, and how they are split: options and loading, the same for every tool.
#include "nn/fit/images.h"
#include "tools/common/dataset_options.h"

namespace vae::tool {

struct ImageOptions {
  std::string dataset = "auto";
  std::optional<train::Inputs> scaling;  ///< of pixels; none: as the model wants them
  data::DatasetOptions data;
};

struct SplitOptions {
  int64_t labels = 100, validation = 10000;
  std::filesystem::path file;
};

void describe(const OptionTable& table, ImageOptions& options);
void describe(const OptionTable& table, SplitOptions& options);

/// The data set that "auto" stands for: MNIST where it is found; where nobody named a folder, else the
/// synthetic digits, which it says. Throws Error(io) for a folder that is named and holds no MNIST.
std::string resolve_dataset(const ImageOptions& options);

/// Loads both parts; `inputs` where the options leave that to the model.
fit::Images load_images(const ImageOptions& options, train::Inputs inputs, Device device);

/// The split of a new run: that of a file, or drawn. Throws Error(usage) for a file without a labelled image
/// of a class that the set has.
data::StoredSplit new_split(const SplitOptions& options, uint64_t seed, const data::Dataset& train);

}  // namespace vae::tool
