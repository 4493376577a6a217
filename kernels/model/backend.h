#pragma once
// What launch.h needs of a device: the model's, device `cuda` of programs that link the model. Kernels run in
// the emulator when their stream comes to them.
#include "kernels/model/launch.h"
#include "kernels/simt/language.h"
#include "tensor/stream_cuda.h"

#define VAE_GPU cuda

namespace vae::kernels::cuda {

using namespace vae::simt;

inline constexpr DeviceType kDeviceType = DeviceType::cuda;
using Stream = cudaStream_t;

inline constexpr int64_t kMaxBlocks = 4;  // other blocks than the emulator's, few enough to take little time

void check_launch(const char* name, Stream stream);

template <class Config, class... Parameters>
void start(const char* name, void (*kernel)(Parameters...), const Config& config, Parameters... args) {
  model::launch(name, reinterpret_cast<const void*>(kernel), config.grid, config.block, config.stream,
                model::addresses_in(args...), [=] { kernel(args...); });
  check_launch(name, config.stream);
}

}  // namespace vae::kernels::cuda
