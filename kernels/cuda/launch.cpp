// The check after a launch. Plain C++, so that the environment is read in one place.
#include <cuda_runtime_api.h>

#include <cstdlib>
#include <string_view>

#include "tensor/error.h"

namespace vae::kernels::cuda {

void check_launch(const char* name, cudaStream_t stream) {
  static const bool wait = [] {
    const char* value = std::getenv("VAE_SYNC");
    return value && std::string_view(value) == "1";
  }();
  cudaError_t status = cudaGetLastError();
  if (status == cudaSuccess && wait) status = cudaStreamSynchronize(stream);
  if (status != cudaSuccess) fail(ErrorKind::device, "CUDA kernel {}: {}", name, cudaGetErrorString(status));
}

}  // namespace vae::kernels::cuda
