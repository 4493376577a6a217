#pragma once
// Options that every training tool has: where the run lies, how long it is, seeds, device.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "nn/train/loop.h"
#include "tensor/graph.h"

namespace vae {

struct RunOptions {
  std::filesystem::path run;
  std::string config;
  uint64_t seed = 1;
  std::string seeds;  ///< "1,2,3": one run each, in sub-directories seed_N
  int64_t epochs = 1, iters_per_epoch = 2000, log_every = 0, checkpoint_every = 0, benchmark = 0;
  int threads = 0;
  std::string device = "cpu", graph = "auto", precision = "fp32";
  bool resume = false, fresh = false, quiet = false;

  train::RunDirectory::Mode mode() const;
  train::LoopOptions loop() const;
};

/// Options of `train`.
void add_run_options(CLI::App& command, RunOptions& options);

/// Adds --device, --threads, --precision and --graph.
void add_device_options(CLI::App& command, RunOptions& options);

/// Sets threads and precision and returns the device, checked; throws Error(usage) for graphs on a device
/// without.
Device prepare_device(const RunOptions& options);

/// "1,2,3" as numbers; throws Error(usage) naming what is none.
std::vector<uint64_t> parse_numbers(const std::string& text, const std::string& option);

}  // namespace vae
