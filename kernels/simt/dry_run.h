#pragma once
// Counting instead of running: what a step queues on a GPU, known in a moment and without a GPU.
#include <cstdint>

namespace vae::simt {

/// While one lives, the device `simt` runs nothing: each launch, call of a vendor's library, copy and fill is
/// counted as the node that it would be in a recorded step. Memory handed out meanwhile is not touched.
class DryRun {
 public:
  DryRun();
  ~DryRun();
  DryRun(const DryRun&) = delete;
  DryRun& operator=(const DryRun&) = delete;
  int64_t nodes() const;
};

/// Counts a node, where a DryRun lives; else false.
bool counted();
/// Whether a DryRun lives.
bool dry();

}  // namespace vae::simt
