#pragma once
// Kernel: one named operation with an implementation per device type, called like a function. The device is
// that of the tensor arguments, which must agree; a backend missing in this build is a null entry and throws
// by name.
#include <initializer_list>
#include <span>
#include <tuple>
#include <vector>

#include "tensor/recorder.h"
#include "tensor/tensor.h"

namespace vae::kernels {

/// Operands of an elementwise kernel; one to three tensors.
using Inputs = std::span<const Tensor>;
using In = const Tensor&;
using Out = const Tensor&;  // the handle is constant, its elements are written

/// Whether a kernel overwrites its output or adds to it.
enum class Write : bool { set, add };

namespace detail {

/// Device shared by all defined tensors; throws naming the kernel when they disagree.
class CommonDevice {
 public:
  explicit CommonDevice(const char* kernel) : kernel_(kernel) {}
  void visit(const Tensor& tensor);
  void visit(Inputs tensors) {
    for (const Tensor& tensor : tensors) visit(tensor);
  }
  template <class T>
  void visit(const T& value) {
    if constexpr (requires { value.each_tensor([](const Tensor&) {}); })
      value.each_tensor([this](const Tensor& tensor) { visit(tensor); });
  }
  Device get() const;

 private:
  const char* kernel_;
  Device device_;
  bool found_ = false;
};

[[noreturn]] void throw_missing_backend(const char* kernel, DeviceType type);

/// An argument as recorded work keeps it: by value, with its tensors.
template <class T>
T keep(const T& value) {
  return value;
}
inline std::vector<Tensor> keep(Inputs tensors) { return {tensors.begin(), tensors.end()}; }

}  // namespace detail

template <class... Args>
class Kernel {
 public:
  using Function = void(Args...);

  constexpr Kernel(const char* name, Function* cpu, Function* cuda, Function* simt)
      : name_(name), functions_{cpu, cuda, simt} {}

  void operator()(Args... args) const {
    detail::CommonDevice common(name_);
    (common.visit(args), ...);
    const DeviceType type = common.get().type;
    Function* function = functions_[static_cast<int>(type)];
    if (!function) [[unlikely]]
      detail::throw_missing_backend(name_, type);
    if (Recorder* recorder = Recorder::active()) [[unlikely]]
      return recorder->add([function, kept = std::tuple(detail::keep(args)...)] {
        std::apply([&](const auto&... values) { function(static_cast<Args>(values)...); }, kept);
      });
    function(args...);
  }
  const char* name() const { return name_; }
  bool has(DeviceType type) const { return functions_[static_cast<int>(type)] != nullptr; }

 private:
  const char* name_;
  Function* functions_[kDeviceTypes];
};

}  // namespace vae::kernels
