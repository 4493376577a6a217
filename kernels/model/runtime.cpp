// The functions of the CUDA runtime that are used: devices, memory, copies, streams, errors. Streams are
// non-blocking ones, events and graphs have files of their own.
#include "kernels/model/runtime.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

namespace vae::model {
namespace {

thread_local int t_device = 0;
thread_local cudaError_t t_last_error = cudaSuccess;

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

/// VAE_MODEL_DEVICES, one by default.
int device_count() {
  const std::string_view count = variable("VAE_MODEL_DEVICES");
  return count.empty() ? 1 : std::clamp(std::atoi(count.data()), 0, kMaxDevices);
}

/// Whether the driver can be used: VAE_MODEL_DRIVER is "none" or "old" where it cannot.
cudaError_t driver() {
  if (!variable("VAE_MODEL_DRIVER").empty()) return cudaErrorInsufficientDriver;
  return device_count() == 0 ? cudaErrorNoDevice : cudaSuccess;
}

/// A copy that the device makes, of which the host sees nothing.
cudaError_t copy_on_device(void* to, const void* from, size_t bytes, cudaStream_t stream) {
  return queue_on(stream, piece_of(stream->device, "cudaMemcpyAsync",
                                   {{to, bytes, "the destination"}, {from, bytes, "the source"}},
                                   [=] { std::memmove(to, from, bytes); }));
}

/// What is read of pageable memory is read during the call, and written when the stream comes to it.
cudaError_t copy_from_host(void* to, const void* from, size_t bytes, cudaStream_t stream) {
  const auto* begin = static_cast<const std::byte*>(from);
  return queue_on(stream, piece_of(stream->device, "cudaMemcpyAsync", {{to, bytes, "the destination"}},
                                   [to, staged = std::vector<std::byte>(begin, begin + bytes)] {
                                     std::memcpy(to, staged.data(), staged.size());
                                   }));
}

/// A copy to pageable memory returns when it is complete.
cudaError_t copy_to_host(void* to, const void* from, size_t bytes, cudaStream_t stream) {
  const cudaError_t status =
      queue_on(stream, piece_of(stream->device, "cudaMemcpyAsync", {{from, bytes, "the source"}},
                                [=] { std::memcpy(to, from, bytes); }));
  finish_stream(stream);
  return status == cudaSuccess ? broken(stream->device) : status;
}

cudaError_t copy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  if (!stream) return cudaErrorInvalidResourceHandle;
  const bool to_device = device_of_address(to) >= 0, from_device = device_of_address(from) >= 0;
  switch (kind) {
    case cudaMemcpyDeviceToDevice:
      if (!to_device || !from_device) return cudaErrorInvalidValue;
      return copy_on_device(to, from, bytes, stream);
    case cudaMemcpyHostToDevice:
    case cudaMemcpyDeviceToHost: {
      const bool in = kind == cudaMemcpyHostToDevice;
      if (to_device != in || from_device == in) return cudaErrorInvalidValue;
      if (stream->capture) {  // pageable memory cannot be recorded
        invalidate(stream);
        return cudaErrorStreamCaptureUnsupported;
      }
      return in ? copy_from_host(to, from, bytes, stream) : copy_to_host(to, from, bytes, stream);
    }
    default:
      return cudaErrorInvalidValue;
  }
}

}  // namespace

int current_device() { return t_device; }

cudaError_t usable(bool needs_device) {
  if (const cudaError_t status = driver(); status != cudaSuccess) return status;
  if (!needs_device) return cudaSuccess;
  mark_context(t_device);
  return broken(t_device);
}

cudaError_t unsafe_during_capture() {
  cudaError_t status = cudaSuccess;
  for (int device = 0; device < kMaxDevices; ++device)
    for (cudaStream_t stream : streams_of(device)) {
      if (capture_status(stream) != cudaStreamCaptureStatusActive) continue;
      const Capture& capture = *stream->capture;
      if (capture.mode == cudaStreamCaptureModeRelaxed) continue;
      if (capture.mode == cudaStreamCaptureModeThreadLocal && capture.capturer != std::this_thread::get_id())
        continue;
      invalidate(stream);
      status = cudaErrorStreamCaptureUnsupported;
    }
  return status;
}

void forget_last_error() { t_last_error = cudaSuccess; }

cudaError_t noted(cudaError_t status) {
  if (status != cudaSuccess) t_last_error = status;
  return status;
}

}  // namespace vae::model

using namespace vae::model;

cudaError_t cudaGetDeviceCount(int* count) {
  return call("cudaGetDeviceCount", on_driver, [&] {
    *count = device_count();
    return cudaSuccess;
  });
}

cudaError_t cudaGetDevice(int* device) {
  return call("cudaGetDevice", on_driver, [&] {
    *device = t_device;
    return cudaSuccess;
  });
}

/// Since CUDA 12 this makes the device's context.
cudaError_t cudaSetDevice(int device) {
  return call("cudaSetDevice", on_driver, [&] {
    if (device < 0 || device >= device_count()) return cudaErrorInvalidDevice;
    t_device = device;
    mark_context(device);
    return cudaSuccess;
  });
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  return call("cudaGetDeviceProperties", on_driver, [&] {
    if (device < 0 || device >= device_count()) return cudaErrorInvalidDevice;
    *properties = {};
    std::strcpy(properties->name, "model");
    properties->totalGlobalMem = kDeviceBytes;
    properties->major = 9, properties->minor = 0;
    return cudaSuccess;
  });
}

cudaError_t cudaDriverGetVersion(int* version) {
  return call("cudaDriverGetVersion", on_host, [&] {
    const std::string_view driver = variable("VAE_MODEL_DRIVER");
    *version = driver == "none" ? 0 : driver == "old" ? 11000 : CUDART_VERSION;
    return cudaSuccess;
  });
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  return call("cudaRuntimeGetVersion", on_host, [&] {
    *version = CUDART_VERSION;
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceSynchronize() {
  return call("cudaDeviceSynchronize", on_device, [] {
    cudaError_t status = cudaSuccess;
    for (cudaStream_t stream : streams_of(t_device))
      if (stream->capture) {
        invalidate(stream);
        status = cudaErrorStreamCaptureUnsupported;
      }
    if (status != cudaSuccess) return status;
    finish_device(t_device);
    return broken(t_device);
  });
}

cudaError_t cudaMalloc(void** pointer, size_t bytes) {
  return call("cudaMalloc", on_device, [&] {
    if (!pointer) return cudaErrorInvalidValue;
    if (const cudaError_t status = unsafe_during_capture(); status != cudaSuccess) return status;
    *pointer = bytes ? allocate(t_device, bytes) : nullptr;
    return bytes && !*pointer ? cudaErrorMemoryAllocation : cudaSuccess;
  });
}

/// Waits for the work of the memory's device.
cudaError_t cudaFree(void* pointer) {
  return call("cudaFree", on_device, [&] {
    if (!pointer) return cudaSuccess;
    if (const cudaError_t status = unsafe_during_capture(); status != cudaSuccess) return status;
    const int device = device_of_address(pointer);
    if (device < 0) return cudaErrorInvalidValue;
    finish_device(device);
    if (!release(pointer)) return cudaErrorInvalidValue;
    return broken(t_device);
  });
}

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  return call("cudaMemGetInfo", on_device, [&] {
    *free = free_bytes(t_device);
    *total = kDeviceBytes;
    return cudaSuccess;
  });
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  return call("cudaMemcpyAsync", on_device,
              [&] { return bytes == 0 ? cudaSuccess : copy(to, from, bytes, kind, resolve(stream)); });
}

cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t stream) {
  return call("cudaMemsetAsync", on_device, [&] {
    if (bytes == 0) return cudaSuccess;
    if (device_of_address(to) < 0) return cudaErrorInvalidValue;
    return queue(stream, "cudaMemsetAsync", {{to, bytes, "the destination"}},
                 [=] { std::memset(to, value, bytes); });
  });
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  return call("cudaStreamCreateWithFlags", on_device, [&] {
    if (flags != cudaStreamNonBlocking) return cudaErrorNotSupported;  // by the model
    *stream = new_stream(t_device);
    return cudaSuccess;
  });
}

/// Work that is queued still runs.
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  return call("cudaStreamDestroy", on_device, [&] {
    if (!forget_stream(stream)) return cudaErrorInvalidResourceHandle;
    return cudaSuccess;
  });
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  return call("cudaStreamSynchronize", on_device, [&] {
    cudaStream_t stream = resolve(handle);
    if (!stream) return cudaErrorInvalidResourceHandle;
    if (stream->capture) {
      invalidate(stream);
      return cudaErrorStreamCaptureUnsupported;
    }
    finish_stream(stream);
    return broken(stream->device);
  });
}

/// Runs what can run, and says whether that was all.
cudaError_t cudaStreamQuery(cudaStream_t handle) {
  return call("cudaStreamQuery", on_device, [&] {
    cudaStream_t stream = resolve(handle);
    if (!stream) return cudaErrorInvalidResourceHandle;
    if (stream->capture) {
      invalidate(stream);
      return cudaErrorStreamCaptureUnsupported;
    }
    if (const cudaError_t status = unsafe_during_capture(); status != cudaSuccess) return status;
    run_stream(stream);
    if (broken(stream->device) != cudaSuccess) return broken(stream->device);
    return stream->waiting.empty() ? cudaSuccess : cudaErrorNotReady;
  });
}

/// Also the error of a broken device, which stays.
cudaError_t cudaGetLastError() {
  return call("cudaGetLastError", on_host, [] {
    const cudaError_t last = std::exchange(t_last_error, cudaSuccess);
    return broken(t_device) != cudaSuccess ? broken(t_device) : last;
  });
}

const char* cudaGetErrorString(cudaError_t error) {
  const Call call("cudaGetErrorString");
  switch (error) {
    case cudaSuccess:
      return "no error";
    case cudaErrorInvalidValue:
      return "invalid argument";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorInvalidConfiguration:
      return "invalid configuration argument";
    case cudaErrorInsufficientDriver:
      return "CUDA driver version is insufficient for CUDA runtime version";
    case cudaErrorNoDevice:
      return "no CUDA-capable device is detected";
    case cudaErrorInvalidDevice:
      return "invalid device ordinal";
    case cudaErrorInvalidResourceHandle:
      return "invalid resource handle";
    case cudaErrorIllegalState:
      return "the operation cannot be performed in the present state";
    case cudaErrorNotReady:
      return "device not ready";
    case cudaErrorIllegalAddress:
      return "an illegal memory access was encountered";
    case cudaErrorLaunchFailure:
      return "unspecified launch failure";
    case cudaErrorNotSupported:
      return "operation not supported";
    case cudaErrorStreamCaptureUnsupported:
      return "operation not permitted when stream is capturing";
    case cudaErrorStreamCaptureInvalidated:
      return "operation failed due to a previous error during capture";
    case cudaErrorStreamCaptureWrongThread:
      return "attempt to terminate a thread-local capture sequence from another thread";
    case cudaErrorStreamCaptureMerge:
      return "operation would merge two independent capture sequences";
    case cudaErrorStreamCaptureUnmatched:
      return "stream capture sequence ended on a stream that did not begin it";
    case cudaErrorStreamCaptureUnjoined:
      return "capturing stream has unjoined work";
    case cudaErrorStreamCaptureIsolation:
      return "dependency created on uncaptured work in another stream";
    case cudaErrorCapturedEvent:
      return "operation not permitted on an event last recorded in a capturing stream";
    default:
      return "unrecognized error code";
  }
}
