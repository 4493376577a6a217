#pragma once
// The images a run is about, and how they are split: options and loading, the same for every tool.
#include "data/load.h"
#include "data/split.h"
#include "models/common/image_set.h"
#include "tools/common/dataset_options.h"

namespace vae {

struct ImageOptions {
  std::string dataset = "auto", scaling = "auto";
  data::DatasetOptions data;
};

/// --data, --scaling and where the sets lie.
void add_image_options(CLI::App& command, ImageOptions& options);

/// Training and test images, on the host with their hashes and on the device as the models see them.
struct Images {
  data::Dataset train, test;
  models::ImageSet train_set, test_set;
};

/// The data set that "auto" stands for: MNIST where it is found, else the synthetic digits, with a word about
/// it.
std::string resolve_dataset(const ImageOptions& options);

/// Loads both parts; `likelihood` decides the scaling where it is "auto".
Images load_images(const ImageOptions& options, const std::string& likelihood, Device device);

/// The split of a new run: that of a file, or drawn.
data::StoredSplit new_split(const std::string& file, const data::SplitRequest& request,
                            const data::Dataset& train);

}  // namespace vae
