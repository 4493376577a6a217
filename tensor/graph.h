#pragma once
// StepGraph: a training step recorded once and replayed, which on a GPU is one launch instead of hundreds.
// The rules that make a replay equal to the step itself: whatever changes from step to step lives in tensors
// that outlive it, nothing is copied between host and device, and the same work is queued in every step.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "tensor/allocator.h"
#include "tensor/runtime.h"

namespace vae {

enum class GraphMode {
  automatic,  ///< on for CUDA, unless VAE_SYNC=1 asks for every kernel to be waited for
  on,
  off
};

/// "auto", "on" or "off"; throws Error(usage) for anything else.
GraphMode parse_graph_mode(std::string_view text);

class StepGraph {
 public:
  StepGraph(Device device, GraphMode mode);

  /// One step. The first kWarmUp calls run it as it is, the next one records it, all from then on replay the
  /// recording without calling `step`. `key` holds what the queued work depends on beside the contents of
  /// tensors, such as the sizes of a batch: each key has a recording of its own.
  void run(const std::function<void()>& step, const std::vector<int64_t>& key = {});
  bool enabled() const { return enabled_; }

  static constexpr int kWarmUp = 2;  // libraries make their handles, the allocator's cache fills

 private:
  struct Recorded {
    int runs = 0;
    std::unique_ptr<MemoryPool> pool;      // of the temporaries; outlives the work
    std::unique_ptr<RecordedWork> work{};  // null during warm-up
  };
  Device device_;
  bool enabled_;
  std::map<std::vector<int64_t>, Recorded> recorded_;
};

}  // namespace vae
