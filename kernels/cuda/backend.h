#pragma once
// What launch.h needs of nvcc and the CUDA runtime. The other backend of the same .cu files is the emulator,
// kernels/simt/backend.h.
#include <cuda_runtime.h>

#include <cstdint>

#include "tensor/stream_cuda.h"

/// The namespace, under vae::kernels, of everything in a .cu file.
#define VAE_GPU cuda

/// An array of `count` elements shared by the threads of a block. It is indexed only, and an element is read
/// into a variable of its type: so the emulator can check every access.
#define VAE_SHARED(type, name, count) __shared__ type name[count]

namespace vae::kernels::cuda {

inline constexpr DeviceType kDeviceType = DeviceType::cuda;
using Stream = cudaStream_t;

inline constexpr int64_t kMaxBlocks = 4096;  // along one axis of a grid

/// Throws Error(device) naming the kernel if its launch failed, or under VAE_SYNC=1 its execution.
void check_launch(const char* name, Stream stream);

template <class Config, class... Parameters>
void start(const char* name, void (*kernel)(Parameters...), const Config& config, Parameters... args) {
  kernel<<<config.grid, config.block, 0, config.stream>>>(args...);
  check_launch(name, config.stream);
}

}  // namespace vae::kernels::cuda
