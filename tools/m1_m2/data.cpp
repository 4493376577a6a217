#include "tools/m1_m2/experiment.h"

namespace vae {
namespace {

namespace fs = std::filesystem;

models::ImageSet on_device(const data::Dataset& set, kernels::Pixels scaling, Device device) {
  return {set.images.to(device), set.labels.to(device), scaling};
}

}  // namespace

std::string resolve_dataset(const Options& options) {
  if (options.dataset != "auto") return options.dataset;
  data::DatasetOptions mnist = options.data;
  mnist.name = "mnist";
  mnist.part = data::Part::test;
  try {
    data::load_dataset(mnist);
    return mnist.name;
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::io || !options.data.data_dir.empty()) throw;
  }
  fmt::print(stderr,
             "no MNIST at hand ('datasets download mnist' fetches it): training on synthetic digits\n");
  return "synth";
}

Images load_images(const Options& options, const std::string& likelihood, Device device) {
  data::DatasetOptions wanted = options.data;
  wanted.name = resolve_dataset(options);
  // Sets of one's own may have any size of image.
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
  const bool binary = options.scaling == "binary" || (options.scaling == "auto" && likelihood == "bernoulli");
  const auto scaling = binary ? kernels::Pixels::binary : kernels::Pixels::unit;
  images.train_set = on_device(images.train, scaling, device);
  images.test_set = on_device(images.test, scaling, device);
  return images;
}

data::StoredSplit new_split(const Options& options, const data::Dataset& train) {
  if (!options.split_file.empty()) return data::load_split(options.split_file, train.labels);
  const data::SplitRequest request{.num_labeled = options.labels,
                                   .num_validation = options.validation,
                                   .num_classes = train.num_classes,
                                   .seed = options.run.seed};
  return {data::draw_split(train.labels, request), request};
}

}  // namespace vae
