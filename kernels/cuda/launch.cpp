// The check after a launch.
#include <cuda_runtime_api.h>

#include "tensor/error.h"
#include "tensor/runtime.h"
#include "tensor/stream_cuda.h"

namespace vae::kernels::cuda {

void check_launch(const char* name, cudaStream_t stream) {
  cudaError_t status = cudaGetLastError();
  if (status == cudaSuccess && sync_launches() && !is_recording(stream))
    status = cudaStreamSynchronize(stream);
  if (status != cudaSuccess) fail(ErrorKind::device, "CUDA kernel {}: {}", name, cudaGetErrorString(status));
}

}  // namespace vae::kernels::cuda
