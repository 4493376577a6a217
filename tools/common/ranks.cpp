#include "tools/common/ranks.h"

#include <cmath>

#include "nn/parallel/connect.h"
#include "nn/train/interrupt.h"
#include "tools/common/cli.h"

namespace vae::tool {
int on_ranks(RunOptions& options, const OptionTable& table, const std::function<int()>& work) {
  const parallel::Environment e = parallel::environment();
  if (e.alone()) return work();
  const nlohmann::ordered_json config = table.config();
  options.device = parallel::device_of_rank(options.device, e);
  const auto limit = std::chrono::milliseconds(std::llround(1e3 * options.comm_timeout));
  const auto ranks = parallel::connect(e, {.device = options.device, .limit = limit});
  const train::InterruptGuard interrupt;
  try {
    const parallel::Scope scope(*ranks, options.statistics);
    check_same_on_ranks(config);
    return work();
  } catch (...) {
    const int code = say_failure(std::current_exception(), [&] { return interrupt.requested(); });
    if (code != static_cast<int>(ErrorKind::interrupted)) ranks->abort(code);
    return code;  // of all ranks alike, which end in order
  }
}

void check_same_on_ranks(const nlohmann::ordered_json& values) {
  parallel::Communicator& ranks = parallel::current();
  if (ranks.alone()) return;
  const auto of_first = nlohmann::ordered_json::parse(parallel::text_of_first(ranks, values.dump()));
  for (const auto& [key, here] : values.items())
    if (const auto there = of_first.value(key, nlohmann::ordered_json()); there != here)
      fail(ErrorKind::usage, "{} is {} here, {} on rank 0", key, text_of(here), text_of(there));
  ranks.barrier();  // before anything is written
}

}  // namespace vae::tool
