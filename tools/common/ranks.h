#pragma once
// A command of several processes (docs/parallel.md): they come together, and fail together.
#include "tools/common/run_options.h"

namespace vae::tool {

/// Runs the work of a command on all ranks that the launcher has started, connected and current, on the
/// device that the options name; on CUDA devices each on the card of its number on its machine. An exception
/// ends all ranks, and one of them says why. `table`: options that must be the same on all.
int on_ranks(RunOptions& options, const OptionTable& table, const std::function<int()>& work);

/// Throws Error(usage) naming the first of these values that is not that of rank 0.
void check_same_on_ranks(const nlohmann::ordered_json& values);

}  // namespace vae::tool
