#pragma once
// --seeds 1,2,3: one experiment, several runs, mean and spread.
#include "nn/train/metrics.h"
#include "tools/common/run_options.h"

namespace vae::tool {

/// Without --seeds one run; with it, a run per seed in sub-directories seed_N of the run, whose config.json
/// has what they share, then mean and spread of the score (a loss of the test images in nats, or an
/// accuracy), printed and written to seeds.json. Resuming goes on with the runs that were begun and starts
/// the others. A seed whose losses are no longer finite is passed over with a line; Error(numeric) at the end
/// says how many were. `table`: the options.
void train_seeds(const RunOptions& options, const OptionTable& table,
                 const std::function<train::Scalar(const RunOptions&)>& train_one);

}  // namespace vae::tool
