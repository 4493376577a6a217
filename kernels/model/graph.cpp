// Capture of a stream, and graphs of what was captured: replayed with the addresses of the recording.
#include <utility>

#include "kernels/model/runtime.h"

struct CUgraph_st {
  std::vector<vae::model::Work> works;
};
struct CUgraphExec_st {
  std::vector<vae::model::Work> works;
};

namespace vae::model {
namespace {

template <class T>
std::set<T>& live() {
  static auto* handles = new std::set<T>;
  return *handles;
}

template <class T>
cudaError_t destroy(T handle) {
  if (live<T>().erase(handle) == 0) return cudaErrorInvalidValue;
  delete handle;
  return cudaSuccess;
}

}  // namespace
}  // namespace vae::model

using namespace vae::model;

cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode mode) {
  return call("cudaStreamBeginCapture", on_device, [&] {
    if (!handle) return cudaErrorStreamCaptureUnsupported;
    cudaStream_t stream = resolve(handle);
    if (!stream) return cudaErrorInvalidResourceHandle;
    if (stream->capture != cudaStreamCaptureStatusNone) return cudaErrorIllegalState;
    stream->capture = cudaStreamCaptureStatusActive;
    stream->mode = mode;
    stream->capturer = std::this_thread::get_id();
    return cudaSuccess;
  });
}

cudaError_t cudaStreamIsCapturing(cudaStream_t handle, cudaStreamCaptureStatus* status) {
  return call("cudaStreamIsCapturing", on_device, [&] {
    cudaStream_t stream = resolve(handle);
    if (!stream) return cudaErrorInvalidResourceHandle;
    *status = stream->capture;
    return cudaSuccess;
  });
}

cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* graph) {
  return call("cudaStreamEndCapture", on_driver, [&] {
    cudaStream_t stream = resolve(handle);
    if (!handle || !stream) return cudaErrorInvalidResourceHandle;
    if (stream->capture == cudaStreamCaptureStatusNone) return cudaErrorIllegalState;
    if (stream->mode != cudaStreamCaptureModeRelaxed && stream->capturer != std::this_thread::get_id())
      return cudaErrorStreamCaptureWrongThread;
    const bool whole = stream->capture == cudaStreamCaptureStatusActive;
    std::vector<Work> works = std::exchange(stream->captured, {});
    stream->capture = cudaStreamCaptureStatusNone;
    *graph = nullptr;
    if (!whole) return cudaErrorStreamCaptureInvalidated;
    *graph = new CUgraph_st{std::move(works)};
    live<cudaGraph_t>().insert(*graph);
    return broken(stream->device);
  });
}

cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t* executable, cudaGraph_t graph,
                                          unsigned long long flags) {
  return call("cudaGraphInstantiateWithFlags", on_device, [&] {
    if (!live<cudaGraph_t>().contains(graph) || flags != 0) return cudaErrorInvalidValue;
    *executable = new CUgraphExec_st{graph->works};
    live<cudaGraphExec_t>().insert(*executable);
    return cudaSuccess;
  });
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t handle) {
  return call("cudaGraphLaunch", on_device, [&] {
    cudaStream_t stream = resolve(handle);
    if (!stream) return cudaErrorInvalidResourceHandle;
    if (!live<cudaGraphExec_t>().contains(executable)) return cudaErrorInvalidValue;
    if (stream->capture == cudaStreamCaptureStatusInvalidated) return cudaErrorStreamCaptureInvalidated;
    for (const Work& work : executable->works) queue_on(stream, work);  // faults show when something waits
    return cudaSuccess;
  });
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  return call("cudaGraphDestroy", on_driver, [&] { return destroy(graph); });
}

/// Work that is queued still runs.
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  return call("cudaGraphExecDestroy", on_driver, [&] { return destroy(executable); });
}
