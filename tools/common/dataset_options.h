#pragma once
// Options that choose a data set, the same for every tool.
#include "data/load.h"
#include "tools/common/option_table.h"

namespace vae::tool {

/// Where a set lies, and what a synthetic one is.
inline void describe(const OptionTable& table, data::DatasetOptions& o) {
  table.add("data-dir", o.data_dir, "folder with data sets (default: $VAE_DATA_DIR, then the user's cache)")
      .changeable()
      .of_trained();
  table.add("classes", o.num_classes, "number of classes", between(1, 256));
  table.add("synth-train", o.synth_train, "synthetic training images", at_least(1));
  table.add("synth-test", o.synth_test, "synthetic test images", at_least(1));
  table.add("synth-seed", o.synth_seed, "seed of the synthetic digits");
}

}  // namespace vae::tool
