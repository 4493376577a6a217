// Events: points in a stream. They are reached when the work before them has run.
#include <chrono>

#include "kernels/model/runtime.h"

namespace vae::model {
namespace {

std::set<cudaEvent_t>& events() {
  static auto* events = new std::set<cudaEvent_t>;
  return *events;
}

bool known(cudaEvent_t event) { return events().contains(event); }

}  // namespace
}  // namespace vae::model

using namespace vae::model;

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return call("cudaEventCreate", on_device, [&] {
    *event = new CUevent_st{current_device(), nullptr};
    events().insert(*event);
    return cudaSuccess;
  });
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  return call("cudaEventDestroy", on_device, [&] {
    if (events().erase(event) == 0) return cudaErrorInvalidResourceHandle;
    delete event;
    return cudaSuccess;
  });
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t handle) {
  return call("cudaEventRecord", on_device, [&] {
    cudaStream_t stream = resolve(handle);
    if (!stream || !known(event) || event->device != stream->device) return cudaErrorInvalidResourceHandle;
    auto mark = std::make_shared<Mark>();
    mark->stream = stream;
    mark->captured = stream->capture != cudaStreamCaptureStatusNone;
    event->mark = mark;
    return queue_on(stream, piece_of(stream->device, "cudaEventRecord", {}, [mark] {
                      mark->done = true;
                      mark->time = std::chrono::steady_clock::now();
                    }));
  });
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  return call("cudaEventSynchronize", on_device, [&] {
    if (!known(event)) return cudaErrorInvalidResourceHandle;
    if (!event->mark) return cudaSuccess;
    if (event->mark->captured) return cudaErrorCapturedEvent;
    run_stream(event->mark->stream, [&] { return event->mark->done; });
    return broken(event->device);
  });
}

cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t begin, cudaEvent_t end) {
  return call("cudaEventElapsedTime", on_device, [&] {
    for (cudaEvent_t event : {begin, end}) {
      if (!known(event) || !event->mark || event->device != begin->device)
        return cudaErrorInvalidResourceHandle;
      if (event->mark->captured) return cudaErrorCapturedEvent;
      if (!event->mark->done) return cudaErrorNotReady;
    }
    *ms = std::chrono::duration<float, std::milli>(end->mark->time - begin->mark->time).count();
    return cudaSuccess;
  });
}
