// The table of backends. VAE_HAS_CUDA is a definition of this file alone.
#include "kernels/kernels.h"

namespace vae::kernels {

void detail::CommonDevice::visit(const Tensor& tensor) {
  if (!tensor.defined()) return;
  VAE_CHECK(!found_ || device_ == tensor.device(), "{}: tensors on {} and {}", kernel_, device_.str(),
            tensor.device().str());
  device_ = tensor.device();
  found_ = true;
}

Device detail::CommonDevice::get() const {
  VAE_CHECK(found_, "{}: no defined tensor among the arguments", kernel_);
  return device_;
}

void detail::throw_missing_backend(const char* kernel, DeviceType type) {
  fail(ErrorKind::device, "kernel {} has no {} implementation in this build", kernel, name_of(type));
}

#ifdef VAE_HAS_CUDA
#define VAE_CUDA_FUNCTION(name) cuda::name
#else
#define VAE_CUDA_FUNCTION(name) nullptr
#endif

#define VAE_KERNEL(name, ...) \
  constinit const Kernel<__VA_ARGS__> name(#name, cpu::name, VAE_CUDA_FUNCTION(name), simt::name);
#include "kernels/list.h"
#undef VAE_KERNEL

std::span<const char* const> kernel_names() {
#define VAE_KERNEL(name, ...) #name,
  static constexpr const char* names[] = {
#include "kernels/list.h"
  };
#undef VAE_KERNEL
  return names;
}

}  // namespace vae::kernels
