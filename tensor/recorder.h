#pragma once
// Recording of work for devices that run it at once (CPU, emulator): while a Recorder is active on a thread,
// kernels and the copies and fills of tensors are remembered instead of run. It is to them what the capture
// of a stream is to CUDA, and obeys the same rules, so whatever would go wrong in a captured step goes wrong
// here as well.
#include <functional>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace vae {

/// While it lives, this thread records a step: what it queues is remembered, by a Recorder or by the device
/// itself.
class Recording {
 public:
  Recording() { ++depth_; }
  ~Recording() { --depth_; }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
  static bool active() { return depth_ > 0; }

 private:
  static inline thread_local int depth_ = 0;
};

/// Throws Error(device): a copy between the host and a tensor happens now, it cannot be part of recorded
/// work.
[[noreturn]] void refuse_recorded_copy(Device device);
/// Throws Error(device) where work on `device` would run now although a step is recorded: a device that
/// records by itself takes nothing from the host. `what` names the work.
void require_recordable(const std::string& what, Device device);

class Recorder : private Recording {
 public:
  /// One call: of a kernel, or "copy" or "fill".
  struct Call {
    const char* name;
    std::vector<Tensor> tensors;  ///< the arguments, in their order; undefined ones stand in their places
    std::function<void()> run;    ///< owns its tensors
  };

  Recorder() : outer_(active_) { active_ = this; }
  virtual ~Recorder() { active_ = outer_; }
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  /// The innermost one of this thread, or null.
  static Recorder* active() { return active_; }
  virtual void add(Call call) { calls_.push_back(std::move(call)); }
  std::vector<Call> take() { return std::move(calls_); }

 private:
  static inline thread_local Recorder* active_ = nullptr;
  Recorder* outer_;
  std::vector<Call> calls_;
};

/// Runs the work on a device, or leaves it to the active recorder. What it captures must own its tensors.
template <class Work>
void run_or_record(const char* name, Device device, std::initializer_list<Tensor> tensors, const Work& work) {
  if (Recording::active()) [[unlikely]] {
    if (Recorder* recorder = Recorder::active()) return recorder->add({name, tensors, work});
    require_recordable(name, device);
  }
  work();
}

}  // namespace vae
