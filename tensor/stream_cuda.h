#pragma once
// A CUDA device as kernels and vendor libraries see it: its compute stream. Every kernel, copy and fill of a
// device goes to this stream in program order, so freed memory may be handed out again at once. Included by
// CUDA sources only.
#include <cuda_runtime_api.h>

#include <cstdint>

namespace vae {

/// Throws Error(device) naming `what` unless the call succeeded. The error is cleared, so that no later call
/// reports it again; but for what kernels do wrong on the device, which ends the use of it. That comes to
/// light in any later call: the message says "at or before".
void check_cuda(cudaError_t status, const char* what);

/// Throws Error(device) for a failed call of a library: with what the device did wrong before, if it did,
/// else with the library's own words.
[[noreturn]] void fail_in_library(const char* library, const char* what, const char* words);

/// Under VAE_SYNC=1 waits for what is queued on the stream and checks it, unless it is being recorded.
void wait_if_asked(cudaStream_t stream, const char* what);

/// The compute stream of a device, created on the first call. It lives until the process ends.
cudaStream_t compute_stream(int index);

/// Whether work queued on the stream is being recorded instead of run.
bool is_recording(cudaStream_t stream);

/// A point in a stream of the device that is current when it is made.
class CudaEvent {
 public:
  enum class Timing : uint8_t { on, off };
  explicit CudaEvent(Timing timing = Timing::on);
  ~CudaEvent();
  CudaEvent(const CudaEvent&) = delete;
  CudaEvent& operator=(const CudaEvent&) = delete;
  /// Marks what is queued on the stream by now.
  void record(cudaStream_t stream);
  /// Has the stream wait for the mark before it goes on with what is queued from now on.
  void hold(cudaStream_t stream) const;
  /// Whether what was marked has been done.
  bool reached() const;
  /// Milliseconds from the mark of `begin` to this one, of one device; waits for it.
  double since(const CudaEvent& begin) const;

 private:
  cudaEvent_t event_ = nullptr;
};

/// Who follows the work of a device on its compute stream, such as a communicator whose work may never end.
class StreamWatch {
 public:
  virtual ~StreamWatch() = default;
  /// Recorded work was queued once more.
  virtual void replayed() = 0;
  /// The host has waited for the device. Throws Error where what the device did is worth nothing.
  virtual void waited() = 0;
};

/// Sets who follows the work of a device: one at a time, null for nobody.
void watch_stream(int index, StreamWatch* watch);

/// Makes a device current on the calling thread. It stays so: whoever works with a device makes it current
/// first, and nobody restores another one, which would make a context on that card.
void use_device(int index);

}  // namespace vae
