// The table of backends, and how one is chosen. VAE_HAS_CUDA is a definition of this file alone.
#include <optional>
#include <tuple>
#include <vector>

#include "kernels/kernels.h"
#include "tensor/recorder.h"

namespace vae::kernels {
namespace {

/// Calls work(tensor) for every tensor of an argument; most arguments have none.
template <class T, class Work>
void for_tensors(const T&, const Work&) {}
template <class Work>
void for_tensors(const Tensor& tensor, const Work& work) {
  work(tensor);
}
template <class T, class Work>
requires requires(const T& value, const Work& work) { value.each_tensor(work); }
void for_tensors(const T& value, const Work& work) { value.each_tensor(work); }
template <class T, class Work>
void for_tensors(std::span<const T> values, const Work& work) {
  for (const T& value : values) for_tensors(value, work);
}

/// The device that all defined tensors share; throws naming the kernel when they disagree.
template <class... Args>
Device common_device(const char* kernel, const Args&... args) {
  std::optional<Device> common;
  const auto see = [&](const Tensor& tensor) {
    if (!tensor.defined()) return;
    VAE_CHECK(!common || *common == tensor.device(), "{}: tensors on {} and {}", kernel, common->str(),
              tensor.device().str());
    common = tensor.device();
  };
  (for_tensors(args, see), ...);
  VAE_CHECK(common, "{}: no defined tensor among the arguments", kernel);
  return *common;
}

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
  const Device device = common_device(name_, args...);
  Function* function = functions_[static_cast<int>(device.type)];
  if (!function)
    fail(ErrorKind::device, "kernel {} has no {} implementation in this build", name_, name_of(device.type));
  if (Recording::active()) [[unlikely]] {
    if (Recorder* recorder = Recorder::active()) {
      std::vector<Tensor> tensors;
      const auto add = [&](const Tensor& tensor) { tensors.push_back(tensor); };
      (for_tensors(args, add), ...);
      return recorder->add(
          {name_, tensors, [function, kept = std::tuple(keep(args)...)] {
             std::apply([&](const auto&... values) { function(static_cast<Args>(values)...); }, kept);
           }});
    }
    require_recordable(name_, device);
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
