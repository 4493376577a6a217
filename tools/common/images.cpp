#include "tools/common/images.h"

#include <set>

#include "tensor/print.h"

namespace vae::tool {

void describe(const OptionTable& table, ImageOptions& o) {
  std::vector<std::pair<std::string, std::string>> names{{"auto", "auto"}};
  for (const char* name : data::kDatasetNames) names.emplace_back(name, name);
  const auto& [sought, drawn] = o.of_auto;
  table
      .add("data", o.dataset, fmt::format("data set; auto: {} where it is found, else {}", sought, drawn),
           choice(names))
      .of_trained();
  describe(table, o.data);
  table.add(
      "resize", o.resize,
      "size of both parts, e.g. 32x32 (default: as stored): of pictures the middle, averaged, of others all, "
      "bilinear",
      or_none(image_size()));
  table.add("scaling", o.scaling, "pixels as 0/1 or in [0, 1]; auto: binary for Bernoulli decoders",
            choice<std::optional<train::Inputs>>(
                {{"auto", {}}, {"binary", train::Inputs::binary}, {"unit", train::Inputs::unit}}));
}

void describe(const OptionTable& table, SplitOptions& o) {
  table.add("labels", o.labels, "labelled images, the same number of each class", at_least(1));
  table.add("validation", o.validation, "training images held out for validation", at_least(0));
  table.add("split-rule", o.rule,
            "who is chosen (default: disjoint; by shot and smooth-elbo labelled images are unlabelled, too)",
            or_none(choice<data::SplitRule>({data::kSplitRules.begin(), data::kSplitRules.end()})));
  table.add("split-file", o.file, "use the split stored in this file", absolute_path());
}

std::string resolve_dataset(const ImageOptions& options) {
  if (options.dataset != "auto") return options.dataset;
  const auto [sought, drawn] = options.of_auto;
  const std::filesystem::path& data_dir = options.data.data_dir;
  if (data::holds_any_of(sought, data_dir)) return sought;
  if (const auto named = data::named_root(data_dir))
    fail(ErrorKind::io,
         "{}: no {} in this data folder, which --data auto looks for: say with --data what it holds, or get "
         "it "
         "with: datasets download {}",
         named->string(), sought, sought);
  note("no {0} at hand ('datasets download {0}' fetches it): training on synthetic digits ({1})\n", sought,
       drawn);
  return drawn;
}

fit::Images load_images(const ImageOptions& options, train::Inputs inputs, Device device) {
  data::DatasetOptions wanted = options.data;
  wanted.name = resolve_dataset(options);
  fit::Images images = fit::load_images(wanted, options.scaling.value_or(inputs), device, options.resize);
  for (const data::Dataset* set : {&images.train, &images.test})
    for (const std::string& remark : remarks_on(*set)) note("{}: {}\n", set->name, remark);
  return images;
}

namespace {

/// A classifier needs an example of every class that the training images have.
void check_labeled(const data::Split& split, const data::Dataset& train, const std::string& file) {
  const auto all = train.labels.to_vector<int64_t>();
  std::set<int64_t> missing(all.begin(), all.end());
  missing.erase(data::kNoLabel);
  for (const int64_t item : split.labeled) missing.erase(all[static_cast<size_t>(item)]);
  if (split.labeled.empty()) fail(ErrorKind::usage, "--split-file: {} has no labelled images", file);
  if (!missing.empty())
    fail(ErrorKind::usage, "--split-file: {} has no labelled image of class {}", file,
         data::class_text(train.class_names, *missing.begin()));
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
                                   .seed = seed,
                                   .rule = options.rule.value_or(data::SplitRule::disjoint),
                                   .class_names = train.class_names};
  return {data::draw_split(train.labels, request), request};
}

}  // namespace vae::tool
