#include "tools/common/images.h"

#include <cstdio>

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

fit::Images load_images(const ImageOptions& options, train::Inputs inputs, Device device) {
  data::DatasetOptions wanted = options.data;
  wanted.name = resolve_dataset(options);
  return fit::load_images(wanted, options.scaling.value_or(inputs), device);
}

data::StoredSplit new_split(const SplitOptions& options, uint64_t seed, const data::Dataset& train) {
  if (!options.file.empty()) return data::load_split(options.file, train.labels);
  const data::SplitRequest request{.num_labeled = options.labels,
                                   .num_validation = options.validation,
                                   .num_classes = train.num_classes,
                                   .seed = seed};
  return {data::draw_split(train.labels, request), request};
}

}  // namespace vae::tool
