#include "nn/fit/images.h"

#include "kernels/kernels.h"

namespace vae::fit {
namespace {

void resize_set(data::Dataset& set, data::ImageSize size) {
  const Tensor resized = Tensor::empty({set.size(), size.height, size.width, set.images.size(3)}, DType::u8);
  kernels::resize_images(set.images, resized);
  set.images = resized;
  set.sha256 = data::content_hash(set.images, set.labels);
}

}  // namespace

Images load_images(data::DatasetOptions wanted, train::Inputs inputs, Device device,
                   std::optional<data::ImageSize> resize) {
  Images images;
  if (data::is_of_pictures(wanted.name)) wanted.format.resize = resize;
  wanted.part = data::Part::train;
  images.train = data::load_dataset(wanted);
  wanted.part = data::Part::test;
  const Shape& shape = images.train.images.shape();
  wanted.format.channels = static_cast<int>(shape[3]);
  wanted.format.size = {static_cast<int>(shape[1]), static_cast<int>(shape[2])};
  images.test = data::load_dataset(wanted);
  if (images.train.num_classes != images.test.num_classes)
    fail(ErrorKind::data, "{}: {} classes in the training images, {} in the test images", images.train.name,
         images.train.num_classes, images.test.num_classes);
  if (resize && !wanted.format.resize)
    for (data::Dataset* set : {&images.train, &images.test}) resize_set(*set, *resize);
  const auto on_device = [&](const data::Dataset& set) {
    return train::ImageSet{set.images.to(device), set.labels.to(device), inputs};
  };
  images.data = {
      on_device(images.train), on_device(images.test), images.train.num_classes, images.test.name, {},
      images.train.class_names};
  return images;
}

train::SplitItems items_of(const data::Split& split, Device device) {
  return {train::items_of(split.labeled, device), train::items_of(split.unlabeled, device),
          train::items_of(split.validation, device)};
}

}  // namespace vae::fit
