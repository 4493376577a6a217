#pragma once
// The time that a training takes to so many iterations, beside the rate of the same step elsewhere.
#include "tools/common/run.h"

namespace vae::bench {

struct RunPlan {
  int64_t iterations = 0, every = 500;
  std::string beside;  ///< a command that prints the rate of the same step elsewhere; none: nothing beside
};

/// Trains a new run of the setup, of which nothing is written, on the images of its options. Prints a JSON
/// line for every so many iterations, in which the two take turns: "iteration", "seconds" of training until
/// then, "steps_per_s" and "images_per_s" since the line before, "class_rows" (nn/train/benchmark.h); and of
/// the other "beside_steps_per_s", "beside_seconds" that it would have taken until then, and "ratio", how
/// many times faster this is since the line before. Throws Error(usage) where the command fails or says no
/// rate.
void time_run(const std::string& name, tool::Setup setup, const RunPlan& plan);

}  // namespace vae::bench
