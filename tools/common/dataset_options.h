#pragma once
// Options that choose a data set, the same for every tool.
#include "data/load.h"
#include "tools/common/option_table.h"

namespace vae::tool {

/// Where a set lies, what its images and labels are, and what a synthetic one is. A $VAE_DATA_DIR that is
/// relative counts as --data-dir, so that a run finds its data from elsewhere, too.
inline void describe(const OptionTable& table, data::DatasetOptions& o) {
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
  table.add("synth-train", o.synth_train, "synthetic training images", at_least(1));
  table.add("synth-test", o.synth_test, "synthetic test images", at_least(1));
  table.add("synth-seed", o.synth_seed, "seed of the synthetic digits");
}

}  // namespace vae::tool
