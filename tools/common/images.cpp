#include "tools/common/images.h"

#include <set>

#include "tensor/print.h"

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
  table.add("split-file", o.file, "use the split stored in this file", absolute_path());
}

std::string resolve_dataset(const ImageOptions& options) {
  if (options.dataset != "auto") return options.dataset;
  const std::filesystem::path& data_dir = options.data.data_dir;
  if (data::holds_any_of("mnist", data_dir)) return "mnist";
  if (const auto named = data::named_root(data_dir))
    fail(ErrorKind::io,
         "{}: no MNIST in this data folder, which --data auto looks for: say with --data what it holds, or "
         "get it with: datasets download mnist",
         named->string());
  note("no MNIST at hand ('datasets download mnist' fetches it): training on synthetic digits\n");
  return "synth";
}

fit::Images load_images(const ImageOptions& options, train::Inputs inputs, Device device) {
  data::DatasetOptions wanted = options.data;
  wanted.name = resolve_dataset(options);
  fit::Images images = fit::load_images(wanted, options.scaling.value_or(inputs), device);
  for (const data::Dataset* set : {&images.train, &images.test})
    for (const std::string& what : set->ignored) note("{}: ignored: {}\n", set->name, what);
  return images;
}

namespace {

/// A classifier needs an example of every class that the training images have.
void check_labeled(const data::Split& split, const data::Dataset& train, const std::string& file) {
  const auto all = train.labels.to_vector<int64_t>();
  std::set<int64_t> missing(all.begin(), all.end());
  for (const int64_t item : split.labeled) missing.erase(all[static_cast<size_t>(item)]);
  if (split.labeled.empty()) fail(ErrorKind::usage, "--split-file: {} has no labelled images", file);
  if (!missing.empty())
    fail(ErrorKind::usage, "--split-file: {} has no labelled image of class {}", file, *missing.begin());
}

}  // namespace

data::StoredSplit new_split(const SplitOptions& options, uint64_t seed, const data::Dataset& train) {
  if (!options.file.empty()) {
    data::StoredSplit stored = data::load_split(options.file, train.labels);
    check_labeled(stored.split, train, options.file.string());
    return stored;
  }
  const data::SplitRequest request{.num_labeled = options.labels,
                                   .num_validation = options.validation,
                                   .num_classes = train.num_classes,
                                   .seed = seed};
  return {data::draw_split(train.labels, request), request};
}

}  // namespace vae::tool
