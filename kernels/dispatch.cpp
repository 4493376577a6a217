// The table of backends, and how one is chosen. VAE_HAS_CUDA is a definition of this file alone.
#include <tuple>
#include <vector>

#include "kernels/kernels.h"
#include "tensor/recorder.h"

namespace vae::kernels {
namespace {

/// Device shared by all defined tensors; throws naming the kernel when they disagree.
class CommonDevice {
 public:
  explicit CommonDevice(const char* kernel) : kernel_(kernel) {}
  void visit(const Tensor& tensor) {
    if (!tensor.defined()) return;
    VAE_CHECK(!found_ || device_ == tensor.device(), "{}: tensors on {} and {}", kernel_, device_.str(),
              tensor.device().str());
    device_ = tensor.device();
    found_ = true;
  }
  template <class T>
  void visit(std::span<const T> values) {
    for (const T& value : values) visit(value);
  }
  template <class T>
  void visit(const T& value) {
    if constexpr (requires { value.each_tensor([](const Tensor&) {}); })
      value.each_tensor([this](const Tensor& tensor) { visit(tensor); });
  }
  Device get() const {
    VAE_CHECK(found_, "{}: no defined tensor among the arguments", kernel_);
    return device_;
  }

 private:
  const char* kernel_;
  Device device_;
  bool found_ = false;
};

/// Collects the tensors among arguments.
struct Tensors {
  std::vector<Tensor> found{};
  void visit(const Tensor& tensor) { found.push_back(tensor); }
  template <class T>
  void visit(std::span<const T> values) {
    for (const T& value : values) visit(value);
  }
  template <class T>
  void visit(const T& value) {
    if constexpr (requires { value.each_tensor([](const Tensor&) {}); })
      value.each_tensor([this](const Tensor& tensor) { visit(tensor); });
  }
};

/// An argument as recorded work keeps it: by value, with its tensors.
template <class T>
T keep(const T& value) {
  return value;
}
template <class T>
std::vector<T> keep(std::span<const T> values) {
  return {values.begin(), values.end()};
}

}  // namespace

template <class... Args>
void Kernel<Args...>::operator()(Args... args) const {
  CommonDevice common(name_);
  (common.visit(args), ...);
  const DeviceType type = common.get().type;
  Function* function = functions_[static_cast<int>(type)];
  if (!function)
    fail(ErrorKind::device, "kernel {} has no {} implementation in this build", name_, name_of(type));
  if (Recording::active()) [[unlikely]] {
    if (Recorder* recorder = Recorder::active()) {
      Tensors tensors;
      (tensors.visit(args), ...);
      return recorder->add({name_, tensors.found, [function, kept = std::tuple(keep(args)...)] {
                              std::apply([&](const auto&... values) { function(static_cast<Args>(values)...); },
                                         kept);
                            }});
    }
    require_recordable(name_, common.get());
  }
  function(args...);
}

#ifndef VAE_HAS_CUDA  // null in programs that do not link the model of CUDA devices
#define VAE_KERNEL(name, ...) [[gnu::weak]] Kernel<__VA_ARGS__>::Function name;
namespace cuda {
#include "kernels/list.h"
}
#undef VAE_KERNEL
#endif

#define VAE_KERNEL(name, ...) \
  constinit const Kernel<__VA_ARGS__> name(#name, cpu::name, cuda::name, simt::name);
#include "kernels/list.h"
#undef VAE_KERNEL

/// Has every signature's call compiled here.
#define VAE_KERNEL(name, ...) [[gnu::used]] constexpr auto call_##name = &Kernel<__VA_ARGS__>::operator();
namespace {
#include "kernels/list.h"
}
#undef VAE_KERNEL

std::span<const char* const> kernel_names() {
#define VAE_KERNEL(name, ...) #name,
  static constexpr const char* names[] = {
#include "kernels/list.h"
  };
#undef VAE_KERNEL
  return names;
}

std::vector<Device> devices() {
  std::vector<Device> all;
  for (const DeviceType type : {DeviceType::cpu, DeviceType::cuda, DeviceType::simt})
    if (fill.has(type) && device_count(type) > 0) all.push_back({type, 0});
  return all;
}

}  // namespace vae::kernels
