#pragma once
// Kernel: one named operation with an implementation per device type, called like a function. The device is
// that of the tensor arguments, which must agree; a backend missing in this build is a null entry and throws
// by name.
#include <span>

#include "tensor/tensor.h"

namespace vae::kernels {

/// Operands of an elementwise kernel; one to three tensors.
using Inputs = std::span<const Tensor>;
using In = const Tensor&;
using Out = const Tensor&;  // the handle is constant, its elements are written

/// Whether a kernel overwrites its output or adds to it.
enum class Write : bool { set, add };

/// One, for a kernel that takes several at once.
template <class T>
std::span<const T> alone(const T& one) {
  return {&one, 1};
}

template <class... Args>
class Kernel {
 public:
  using Function = void(Args...);

  constexpr Kernel(const char* name, Function* cpu, Function* cuda, Function* simt)
      : name_(name), functions_{cpu, cuda, simt} {}

  /// Runs the implementation for the device of the tensors, or leaves it to the active recorder. Compiled
  /// once, in dispatch.cpp, for the signatures of list.h.
  void operator()(Args... args) const;
  const char* name() const { return name_; }
  bool has(DeviceType type) const { return functions_[static_cast<int>(type)] != nullptr; }

 private:
  const char* name_;
  Function* functions_[kDeviceTypes];
};

}  // namespace vae::kernels
