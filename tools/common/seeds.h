#pragma once
// --seeds 1,2,3: one experiment, several runs, mean and spread.
#include "nn/train/metrics.h"
#include "tools/common/run_options.h"

namespace vae::tool {

/// How a run ended.
struct Outcome {
  int code;             ///< exit code
  train::Scalar score;  ///< of the test images: a loss in nats, or an accuracy
};

/// Without --seeds one run; with it, a run per seed in sub-directories seed_N, then mean and spread of the
/// score, printed and written to seeds.json. Resuming goes on with the runs that were begun and starts the
/// others. Returns the exit code.
int train_seeds(const RunOptions& options, const std::function<Outcome(const RunOptions&)>& train_one);

}  // namespace vae::tool
