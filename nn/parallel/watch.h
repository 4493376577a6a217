#pragma once
// Watch: a limit on calls of libraries that can hang for ever.
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "nn/parallel/environment.h"

namespace vae::parallel {

/// Ends this process, unless it is destroyed in time, with "error: rank 1 of 4: WHAT within 30 s" and the
/// exit code of ErrorKind::peer: nothing else ends a thread within a call that hangs.
class Watch {
 public:
  Watch(const Environment& environment, std::chrono::milliseconds limit, std::string what);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable done_;
  bool is_done_ = false;
  std::thread thread_;
};

}  // namespace vae::parallel
