#include "tools/bench/peaks.h"

#include <algorithm>
#include <tuple>

namespace vae::bench {

Bound bound_of(const Work& work, const Peaks& peaks) {
  if (work.flops > 0) return {work.direct ? "direct" : "product", work.flops / peaks.product};
  const double both = 2 * std::min(work.read, work.written), rest = work.read + work.written - both;
  const bool reads = work.read >= work.written;
  Bound bound{"", 0};
  for (const auto& [kind, bytes, rate] : {std::tuple{"copy", both, peaks.copy},
                                          {reads ? "read" : "write", rest, reads ? peaks.read : peaks.write},
                                          {"update", 2 * work.updated, peaks.update}}) {
    bound.seconds += bytes / rate;
    if (bytes <= 0.05 * work.amount()) continue;
    if (!bound.kind.empty()) bound.kind += '+';
    bound.kind += kind;
  }
  return bound;
}

}  // namespace vae::bench
