#pragma once
// --seeds 1,2,3: one experiment, several runs, mean and spread.
#include <functional>
#include <nlohmann/json.hpp>

#include "tools/common/run_options.h"

namespace vae {

/// How a run ended.
struct Outcome {
  int code;       ///< exit code
  double result;  ///< of the test images: a loss in nats, or an accuracy
};

using TrainOne = std::function<Outcome(const RunOptions&, const nlohmann::ordered_json& config)>;

/// Without --seeds one run; with it, a run per seed in sub-directories seed_N, then mean and spread of the
/// result called `name`, printed and written to seeds.json. Resuming goes on with the runs that were begun
/// and starts the others. Returns the exit code.
int train_seeds(const RunOptions& options, const nlohmann::ordered_json& config, const std::string& name,
                const TrainOne& train_one);

}  // namespace vae
