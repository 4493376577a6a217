#pragma once
// Ctrl-C and `kill` as a request to stop at the next good place.

namespace vae::train {

/// While one lives, the first SIGINT or SIGTERM only sets requested(); a second one ends the process as
/// usual. The former handlers come back when it dies. One at a time.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
  bool requested() const;
};

}  // namespace vae::train
