#pragma once
// Recording of work for devices that run it at once (CPU, emulator): while a Recorder is active on a thread,
// kernels and the copies and fills of tensors are remembered instead of run. It is to them what the capture
// of a stream is to CUDA, and obeys the same rules, so whatever would go wrong in a captured step goes wrong
// here as well.
#include <functional>
#include <vector>

namespace vae {

class Recorder {
 public:
  Recorder() : outer_(active_) { active_ = this; }
  ~Recorder() { active_ = outer_; }
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  /// The innermost one of this thread, or null.
  static Recorder* active() { return active_; }
  void add(std::function<void()> work) { work_.push_back(std::move(work)); }
  std::vector<std::function<void()>> take() { return std::move(work_); }

 private:
  static inline thread_local Recorder* active_ = nullptr;
  Recorder* outer_;
  std::vector<std::function<void()>> work_;
};

/// Runs the work, or leaves it to the active recorder. What it captures must own its tensors.
template <class Work>
void run_or_record(const Work& work) {
  if (Recorder* recorder = Recorder::active()) [[unlikely]]
    recorder->add(work);
  else
    work();
}

}  // namespace vae
