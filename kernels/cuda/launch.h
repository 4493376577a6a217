#pragma once
// How CUDA kernels are launched. This header is all that a kernel file knows of CUDA beyond threadIdx,
// blockIdx, __syncthreads and __shfl_*_sync: launches go through launch(), shared memory through VAE_SHARED.
// Kernels walk over their items by the size of the grid, so a grid may be smaller than the work; an empty one
// is not launched. With VAE_SYNC=1 in the environment every launch is waited for and checked.
// A .cu file is compiled by nvcc for CUDA devices, and for tests by g++: for the emulator (kernels/simt) and
// for the model of CUDA devices (kernels/model). So its code stands in namespace vae::kernels::VAE_GPU.
#include <algorithm>
#include <bit>

#include "kernels/kernel.h"
#if defined(__CUDACC__)
#include "kernels/cuda/backend.h"
#elif defined(VAE_MODEL)
#include "kernels/model/backend.h"
#else
#include "kernels/simt/backend.h"
#endif

namespace vae::kernels::VAE_GPU {

inline constexpr int kWarp = 32;
inline constexpr int kThreads = 256;                  // of a block
inline constexpr int kRowThreads = kThreads / kWarp;  // of a block that is a warp wide
inline constexpr int kTileColumns = 8;                // 32 bytes of f32
inline constexpr int kTileRows = kThreads / kTileColumns;

struct LaunchConfig {
  dim3 grid, block;
  Stream stream = {};
};

/// Runs `kernel` on a grid; an empty grid is nothing to do. Arguments convert to the kernel's parameters.
template <class... Parameters, class... Args>
void launch(const char* name, void (*kernel)(Parameters...), const LaunchConfig& config,
            const Args&... args) {
  if (config.grid.x == 0 || config.grid.y == 0 || config.grid.z == 0) return;
  start(name, kernel, config, static_cast<Parameters>(args)...);
}

/// Blocks for n items, `each` to a block.
inline unsigned blocks_for(int64_t n, int64_t each) {
  return static_cast<unsigned>(std::min((n + each - 1) / each, kMaxBlocks));
}

/// The device of a tensor, made current, and the shapes of launches on its stream.
class OnDevice {
 public:
  explicit OnDevice(In tensor) : stream_(compute_stream(tensor.device().index)) {
    use_device(tensor.device().index);
  }

  /// One thread per item along x.
  LaunchConfig line(int64_t n) const { return config({blocks_for(n, kThreads)}, {kThreads}); }
  /// Threads over columns (x, four to a thread) and rows (y).
  LaunchConfig plane(int64_t rows, int64_t columns) const {
    const auto width =
        static_cast<unsigned>(std::bit_ceil(static_cast<uint64_t>(std::clamp<int64_t>(columns, 1, kWarp))));
    const unsigned height = kThreads / width;
    return config({blocks_for(columns, 4 * width), blocks_for(rows, height)}, {width, height});
  }
  /// For row_reduce(): a row (y) belongs to a warp, or to a whole block where it is long.
  LaunchConfig rows(int64_t rows, int64_t columns) const {
    if (columns <= 1024) return config({1, blocks_for(rows, kRowThreads)}, {kWarp, kRowThreads});
    return config({1, blocks_for(rows, 1)}, {kThreads, 1});
  }
  /// For tile_reduce(): a block takes a tile of columns (x) of one of `parts` (y).
  LaunchConfig tiles(int64_t columns, int64_t parts) const {
    return config({blocks_for(columns, kTileColumns), blocks_for(parts, 1)}, {kTileColumns, kTileRows});
  }
  LaunchConfig config(dim3 grid, dim3 block) const { return {grid, block, stream_}; }

 private:
  Stream stream_;
};

// Where a thread begins and how far it strides, along x and y.
__device__ inline int64_t first_x() { return int64_t{blockIdx.x} * blockDim.x + threadIdx.x; }
__device__ inline int64_t step_x() { return int64_t{gridDim.x} * blockDim.x; }
__device__ inline int64_t first_y() { return int64_t{blockIdx.y} * blockDim.y + threadIdx.y; }
__device__ inline int64_t step_y() { return int64_t{gridDim.y} * blockDim.y; }

}  // namespace vae::kernels::VAE_GPU
