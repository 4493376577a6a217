#include "nn/fit/images.h"

namespace vae::fit {

Images load_images(data::DatasetOptions wanted, train::Inputs inputs, Device device) {
  if (wanted.name == "idx" || wanted.name == "folder" || wanted.name == "subfolders") wanted.format.size = {};
  Images images;
  wanted.part = data::Part::train;
  images.train = data::load_dataset(wanted);
  wanted.part = data::Part::test;
  wanted.format.size = {static_cast<int>(images.train.images.size(1)),
                        static_cast<int>(images.train.images.size(2))};
  images.test = data::load_dataset(wanted);
  if (images.train.num_classes != images.test.num_classes)
    fail(ErrorKind::data, "{}: {} classes in the training images, {} in the test images", images.train.name,
         images.train.num_classes, images.test.num_classes);
  const auto on_device = [&](const data::Dataset& set) {
    return train::ImageSet{set.images.to(device), set.labels.to(device), inputs};
  };
  images.data = {
      on_device(images.train), on_device(images.test), images.train.num_classes, images.test.name, {}};
  return images;
}

train::SplitItems items_of(const data::Split& split, Device device) {
  return {train::items_of(split.labeled, device), train::items_of(split.unlabeled, device),
          train::items_of(split.validation, device)};
}

}  // namespace vae::fit
