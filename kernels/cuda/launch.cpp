// The check after a launch.
#include <cuda_runtime_api.h>

#include <string>

#include "tensor/stream_cuda.h"

namespace vae::kernels::cuda {

void check_launch(const char* name, cudaStream_t stream) {
  const cudaError_t status = cudaGetLastError();
  if (status != cudaSuccess) [[unlikely]]
    check_cuda(status, ("kernel " + std::string(name)).c_str());
  wait_if_asked(stream, name);
}

}  // namespace vae::kernels::cuda
