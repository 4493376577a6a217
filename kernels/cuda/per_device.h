#pragma once
// What a process keeps for each device: the handles of the libraries.
#include <map>
#include <mutex>

#include "tensor/device.h"

namespace vae::kernels::cuda {

/// A T for each device, made by the first get() for it; safe in several threads.
template <class T>
class PerDevice {
 public:
  template <class Make>
  T get(Device device, const Make& make) {
    const std::lock_guard lock(mutex_);
    const auto found = of_.find(device.index);
    return found != of_.end() ? found->second : of_[device.index] = make();
  }

 private:
  std::mutex mutex_;
  std::map<int, T> of_;
};

}  // namespace vae::kernels::cuda
