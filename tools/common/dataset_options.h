#pragma once
// Command-line options that choose a data set, the same for every tool.
#include <CLI/CLI.hpp>
#include <string>

#include "data/load.h"
#include "tools/common/cli.h"

namespace vae {

/// Where a set lies, and what a synthetic one is.
inline void add_dataset_options(CLI::App& app, data::DatasetOptions& options) {
  app.add_option("--data-dir", options.data_dir,
                 "folder with data sets (default: $VAE_DATA_DIR, then the user's cache)")
      ->default_str(options.data_dir.string());
  app.add_option("--classes", options.num_classes, "number of classes")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_option("--synth-train", options.synth_train, "synthetic training images")
      ->check(count(1))
      ->capture_default_str();
  app.add_option("--synth-test", options.synth_test, "synthetic test images")
      ->check(count(1))
      ->capture_default_str();
  app.add_option("--synth-seed", options.synth_seed, "seed of the synthetic digits")->capture_default_str();
}

/// The names of the data sets, as a check for an option.
inline CLI::IsMember dataset_names() {
  return CLI::IsMember(std::vector<std::string>(data::kDatasetNames.begin(), data::kDatasetNames.end()));
}

}  // namespace vae
