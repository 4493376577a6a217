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

cudaError_t create(cudaEvent_t* event, bool timed) {
  *event = new CUevent_st{current_device(), timed, nullptr};
  events().insert(*event);
  return cudaSuccess;
}

/// A stream waits for a point of a capture: it takes part from then on.
cudaError_t wait_in_capture(cudaStream_t stream, const Mark& mark) {
  if (!mark.capture ||
      mark.capture->lines.empty()) {  // of work that is not recorded, or of a recording that has ended
    invalidate(stream);
    return mark.capture ? cudaErrorCapturedEvent : cudaErrorStreamCaptureIsolation;
  }
  if (stream->capture && stream->capture != mark.capture) {
    invalidate(stream), invalidate(mark.stream);
    return cudaErrorStreamCaptureMerge;
  }
  if (mark.capture->status != cudaStreamCaptureStatusActive) return cudaErrorStreamCaptureInvalidated;
  stream->capture = mark.capture;
  follow(stream, mark.behind);
  return cudaSuccess;
}

}  // namespace
}  // namespace vae::model

using namespace vae::model;

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return call("cudaEventCreate", on_device, [&] { return create(event, true); });
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  return call("cudaEventCreateWithFlags", on_device, [&] {
    if (flags & ~unsigned{cudaEventDisableTiming}) return cudaErrorNotSupported;  // by the model
    return create(event, flags == 0);
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
    mark->capture = stream->capture;
    mark->behind = behind(stream);
    event->mark = mark;
    if (stream->capture)
      return capture_status(stream) == cudaStreamCaptureStatusActive ? cudaSuccess
                                                                     : cudaErrorStreamCaptureInvalidated;
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
    if (event->mark->capture) return cudaErrorCapturedEvent;
    if (const cudaError_t status = unsafe_during_capture(); status != cudaSuccess) return status;
    finish_stream(event->mark->stream, [mark = event->mark] { return mark->done; });
    return broken(event->device);
  });
}

/// Runs what can run, and says whether that was far enough.
cudaError_t cudaEventQuery(cudaEvent_t event) {
  return call("cudaEventQuery", on_device, [&] {
    if (!known(event)) return cudaErrorInvalidResourceHandle;
    if (!event->mark) return cudaSuccess;
    if (event->mark->capture) return cudaErrorCapturedEvent;
    if (const cudaError_t status = unsafe_during_capture(); status != cudaSuccess) return status;
    run_stream(event->mark->stream, [&] { return event->mark->done; });
    if (broken(event->device) != cudaSuccess) return broken(event->device);
    return event->mark->done ? cudaSuccess : cudaErrorNotReady;
  });
}

cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event, unsigned flags) {
  return call("cudaStreamWaitEvent", on_device, [&] {
    cudaStream_t stream = resolve(handle);
    if (!stream || !known(event)) return cudaErrorInvalidResourceHandle;
    if (flags != 0) return cudaErrorInvalidValue;
    if (!event->mark) return cudaSuccess;
    const auto mark = event->mark;
    if (stream->capture || mark->capture) return wait_in_capture(stream, *mark);
    auto piece = std::make_shared<Piece>();
    piece->name = "cudaStreamWaitEvent", piece->device = stream->device, piece->work = [] {};
    piece->arrive = [mark](cudaStream_t) {
      return [mark] {
        run_stream(mark->stream, [&] { return mark->done; });
        return mark->done;
      };
    };
    const cudaError_t status = queue_on(stream, piece);
    follow(stream, mark->behind);
    return status;
  });
}

cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t begin, cudaEvent_t end) {
  return call("cudaEventElapsedTime", on_device, [&] {
    for (cudaEvent_t event : {begin, end}) {
      if (!known(event) || !event->mark || !event->timed || event->device != begin->device)
        return cudaErrorInvalidResourceHandle;
      if (event->mark->capture) return cudaErrorCapturedEvent;
      if (!event->mark->done) return cudaErrorNotReady;
    }
    *ms = std::chrono::duration<float, std::milli>(end->mark->time - begin->mark->time).count();
    return cudaSuccess;
  });
}
