#include "tools/common/images.h"

namespace vae {
namespace {

namespace fs = std::filesystem;

models::ImageSet on_device(const data::Dataset& set, kernels::Pixels scaling, Device device) {
  return {set.images.to(device), set.labels.to(device), scaling};
}

}  // namespace

void add_image_options(CLI::App& command, ImageOptions& o) {
  command.add_option("--data", o.dataset, "data set; auto: mnist where it is found, else synth")
      ->check(CLI::IsMember({"auto", "synth", "mnist", "fashion-mnist", "idx", "folder", "subfolders"}))
      ->capture_default_str();
  add_dataset_options(command, o.data);
  command
      .add_option("--scaling", o.scaling, "pixels as 0/1 or in [0, 1]; auto: binary for Bernoulli decoders")
      ->check(CLI::IsMember({"auto", "binary", "unit"}))
      ->capture_default_str();
}

std::string resolve_dataset(const ImageOptions& options) {
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

Images load_images(const ImageOptions& options, const std::string& likelihood, Device device) {
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

data::StoredSplit new_split(const std::string& file, const data::SplitRequest& request,
                            const data::Dataset& train) {
  if (!file.empty()) return data::load_split(file, train.labels);
  return {data::draw_split(train.labels, request), request};
}

}  // namespace vae
