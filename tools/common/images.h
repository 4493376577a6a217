#pragma once
// The images a run is about, and how they are split: options and loading, the same for every tool.
#include "nn/fit/images.h"
#include "tools/common/dataset_options.h"

namespace vae::tool {

/// What the data set "auto" stands for: a set where it is found, else one that is drawn.
struct Auto {
  const char *sought = "mnist", *drawn = "synth";
};

struct ImageOptions {
  std::string dataset = "auto";
  Auto of_auto;
  std::optional<train::Inputs> scaling;   ///< of pixels; none: as the model wants them
  std::optional<data::ImageSize> resize;  ///< of both parts when they are loaded; none: as stored
  data::DatasetOptions data;
};

struct SplitOptions {
  int64_t labels = 100, validation = 10000;
  std::optional<data::SplitRule> rule{};  ///< none: disjoint
  std::filesystem::path file{};
};

void describe(const OptionTable& table, ImageOptions& options);
void describe(const OptionTable& table, SplitOptions& options);

/// The data set, of "auto" that which is sought where it is found; where nobody named a folder, else the
/// synthetic digits, which it says. Throws Error(io) for a folder that is named and does not hold that set.
std::string resolve_dataset(const ImageOptions& options);

/// Loads both parts; `inputs` where the options leave that to the model.
fit::Images load_images(const ImageOptions& options, train::Inputs inputs, Device device);

/// The split of a new run: that of a file, or drawn. Throws Error(usage) for a file without a labelled image
/// of a class that the set has.
data::StoredSplit new_split(const SplitOptions& options, uint64_t seed, const data::Dataset& train);

}  // namespace vae::tool
