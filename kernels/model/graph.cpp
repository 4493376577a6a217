// Capture of a stream, and graphs of what was captured: replayed with the addresses of the recording.
#include <algorithm>
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

/// Whether the origin of a capture has waited for all that the other streams recorded.
bool all_joined(const Capture& capture) {
  const Clock& joined = capture.lines.at(capture.origin).behind;
  return std::all_of(capture.lines.begin(), capture.lines.end(), [&](const auto& line) {
    if (line.first == capture.origin || line.second.pieces == 0) return true;
    const auto found = joined.find(line.first);
    return found != joined.end() && found->second >= line.second.pieces;
  });
}

}  // namespace
}  // namespace vae::model

using namespace vae::model;

cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode mode) {
  return call("cudaStreamBeginCapture", on_device, [&] {
    if (!handle) return cudaErrorStreamCaptureUnsupported;
    cudaStream_t stream = resolve(handle);
    if (!stream) return cudaErrorInvalidResourceHandle;
    if (stream->capture) return cudaErrorIllegalState;
    stream->capture = std::make_shared<Capture>();
    stream->capture->mode = mode;
    stream->capture->origin = stream;
    stream->capture->capturer = std::this_thread::get_id();
    stream->capture->lines[stream];
    return cudaSuccess;
  });
}

cudaError_t cudaStreamIsCapturing(cudaStream_t handle, cudaStreamCaptureStatus* status) {
  return call("cudaStreamIsCapturing", on_device, [&] {
    cudaStream_t stream = resolve(handle);
    if (!stream) return cudaErrorInvalidResourceHandle;
    *status = capture_status(stream);
    return cudaSuccess;
  });
}

cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* graph) {
  return call("cudaStreamEndCapture", on_driver, [&] {
    cudaStream_t stream = resolve(handle);
    if (!handle || !stream) return cudaErrorInvalidResourceHandle;
    if (!stream->capture) return cudaErrorIllegalState;
    const std::shared_ptr<Capture> capture = stream->capture;
    if (capture->origin != stream) return cudaErrorStreamCaptureUnmatched;
    if (capture->mode != cudaStreamCaptureModeRelaxed && capture->capturer != std::this_thread::get_id())
      return cudaErrorStreamCaptureWrongThread;
    const bool whole = capture->status == cudaStreamCaptureStatusActive, joined = all_joined(*capture);
    for (const auto& [other, line] : capture->lines) other->capture = nullptr;
    capture->lines.clear();
    *graph = nullptr;
    if (!whole) return cudaErrorStreamCaptureInvalidated;
    if (!joined) return cudaErrorStreamCaptureUnjoined;
    std::vector<Work> works = std::move(capture->works);
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
    if (capture_status(stream) == cudaStreamCaptureStatusInvalidated)
      return cudaErrorStreamCaptureInvalidated;
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
