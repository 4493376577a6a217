#pragma once
// The images that a run is about, loaded for training.
#include "data/load.h"
#include "data/split.h"
#include "nn/train/image_set.h"

namespace vae::fit {

/// Training and test images, on the host with their hashes and on the device as the models see them.
struct Images {
  data::Dataset train, test;
  train::Data data;  ///< without a split
};

/// Loads both parts of a named set, of one size and colour of image and the same classes, and resizes them:
/// pictures as they are read (data::resized), others when all are there (kernels::resize_images of bytes, which
/// enlarges as Pillow's bilinear filter does). Throws as data::load_dataset() does.
Images load_images(data::DatasetOptions wanted, train::Inputs inputs, Device device,
                   std::optional<data::ImageSize> resize = {});

/// The items of a split on a device.
train::SplitItems items_of(const data::Split& split, Device device);

}  // namespace vae::fit
