#pragma once
// A CUDA device as kernels and vendor libraries see it: its compute stream. Every kernel, copy and fill of a
// device goes to this stream in program order, so freed memory may be handed out again at once. Included by
// CUDA sources only.
#include <cuda_runtime_api.h>

namespace vae {

/// Throws Error(device) naming `what` unless the call succeeded.
void check_cuda(cudaError_t status, const char* what);

/// The compute stream of a device, created on the first call. It lives until the process ends.
cudaStream_t compute_stream(int index);

/// Whether work queued on the stream is being recorded instead of run.
bool is_recording(cudaStream_t stream);

/// A point in a stream.
class CudaEvent {
 public:
  CudaEvent();
  ~CudaEvent();
  CudaEvent(const CudaEvent&) = delete;
  CudaEvent& operator=(const CudaEvent&) = delete;
  /// Marks what is queued on the stream by now.
  void record(cudaStream_t stream);
  /// Milliseconds from the mark of `begin` to this one, of one device; waits for it.
  double since(const CudaEvent& begin) const;

 private:
  cudaEvent_t event_ = nullptr;
};

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
