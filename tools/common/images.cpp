#include "tools/common/images.h"

namespace vae::tool {

void describe(const OptionTable& table, ImageOptions& o) {
  std::vector<std::pair<std::string, std::string>> names{{"auto", "auto"}};
  for (const char* name : data::kDatasetNames) names.emplace_back(name, name);
  table.add("data", o.dataset, "data set; auto: mnist where it is found, else synth", choice(names))
      .of_trained();
  describe(table, o.data);
  table.add("scaling", o.scaling, "pixels as 0/1 or in [0, 1]; auto: binary for Bernoulli decoders",
            choice<std::optional<train::Inputs>>(
                {{"auto", {}}, {"binary", train::Inputs::binary}, {"unit", train::Inputs::unit}}));
}

void describe(const OptionTable& table, SplitOptions& o) {
  table.add("labels", o.labels, "labelled images, the same number of each class", at_least(1));
  table.add("validation", o.validation, "training images held out for validation", at_least(0));
  table.add("split-file", o.file, "use the split stored in this file");
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

Images load_images(const ImageOptions& options, train::Inputs inputs, Device device) {
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
  const auto on_device = [&](const data::Dataset& set) {
    return train::ImageSet{set.images.to(device), set.labels.to(device), options.scaling.value_or(inputs)};
  };
  images.data = {
      on_device(images.train), on_device(images.test), images.train.num_classes, images.test.name, {}};
  return images;
}

data::StoredSplit new_split(const SplitOptions& options, uint64_t seed, const data::Dataset& train) {
  if (!options.file.empty()) return data::load_split(options.file, train.labels);
  const data::SplitRequest request{.num_labeled = options.labels,
                                   .num_validation = options.validation,
                                   .num_classes = train.num_classes,
                                   .seed = seed};
  return {data::draw_split(train.labels, request), request};
}

train::SplitItems items_of(const data::Split& split, Device device) {
  return {train::items_of(split.labeled, device), train::items_of(split.unlabeled, device),
          train::items_of(split.validation, device)};
}

}  // namespace vae::tool
