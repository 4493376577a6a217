#include "tools/common/dataset_options.h"

namespace vae::tool {

void describe(const OptionTable& table, data::DatasetOptions& o) {
  const auto path = absolute_path();
  if (const auto named = data::named_root(o.data_dir))
    if (named->is_relative()) o.data_dir = path.parse(named->string());
  table
      .add(
          "data-dir", o.data_dir,
          "folder with data sets, stored as an absolute path (default: $VAE_DATA_DIR, then the user's cache)",
          path)
      .changeable()
      .of_trained();
  table.add("classes", o.num_classes, "number of classes", between(1, 256));
  table.add("label-offset", o.label_offset, "label of the first class in the files", between(0, 255));
  table.add("channels", o.format.channels, "1 grey, 3 colour (default: as the files have it)",
            choice<std::optional<int>>({{"1", 1}, {"3", 3}}));
  table.add("background", o.format.background, "white or black behind transparent pictures (default: white)",
            unless_default(choice<uint8_t>({{"white", 255}, {"black", 0}}), data::ImageFormat().background));
  table.add("transpose", o.transpose,
            "rows of the images of 'idx' are columns, as EMNIST has them (default: false)",
            unless_default(plain<bool>(), false));
  table.add("synth-train", o.synth_train, "synthetic training images", at_least(1));
  table.add("synth-test", o.synth_test, "synthetic test images", at_least(1));
  table.add("synth-seed", o.synth_seed, "seed of the synthetic digits");
}

Spelling<data::ImageSize> image_size() {
  const auto parse = [](const std::string& text) {
    constexpr int kMostPixels = 1024;  // on a side
    const auto side = between(1, kMostPixels);
    const size_t cross = text.find('x');
    try {
      return data::ImageSize{side.parse(text.substr(0, cross)),
                             side.parse(cross == std::string::npos ? "" : text.substr(cross + 1))};
    } catch (const Error&) {
      fail(ErrorKind::usage, "'{}' is no size like 32x32, height and width from 1 to {}", text, kMostPixels);
    }
  };
  return {"TEXT", parse,
          [](const data::ImageSize& size) { return fmt::format("{}x{}", size.height, size.width); }};
}

std::vector<std::string> remarks_on(const data::Dataset& set) {
  std::vector<std::string> remarks;
  for (const std::string& what : set.ignored) remarks.push_back("ignored: " + what);
  for (const std::string& what : set.warnings) remarks.push_back("warning: " + what);
  return remarks;
}

}  // namespace vae::tool
