#pragma once
// A CUDA device as kernels and vendor libraries see it: its one compute stream. Every kernel, copy and fill
// of a device goes to this stream in program order, so freed memory may be handed out again at once. Included
// by CUDA sources only.
#include <cuda_runtime_api.h>

namespace vae {

/// Throws Error(device) naming `what` unless the call succeeded.
void check_cuda(cudaError_t status, const char* what);

/// The compute stream of a device, created on the first call. It lives until the process ends.
cudaStream_t compute_stream(int index);

/// Makes a device current for the life of the object and restores the caller's.
class CurrentDevice {
 public:
  explicit CurrentDevice(int index);
  ~CurrentDevice();
  CurrentDevice(const CurrentDevice&) = delete;
  CurrentDevice& operator=(const CurrentDevice&) = delete;

 private:
  int previous_ = 0;
};

}  // namespace vae
