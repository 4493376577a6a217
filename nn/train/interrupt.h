#pragma once
// Ctrl-C, `kill`, a hang-up and the warning of a batch system (USR1) as a request to stop at the next good
// place.

namespace vae::train {

/// While one lives, SIGINT, SIGTERM, SIGHUP and SIGUSR1 only set requested(). Repeats within a second are the
/// same request (`timeout` and terminals send several); one that comes later ends the process as usual. What
/// was ignored before, as under nohup, stays so. The former handlers come back when the outermost dies.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
  bool requested() const;
};

}  // namespace vae::train
