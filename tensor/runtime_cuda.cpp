// CUDA memory, copies and streams. The driver is probed on the first use; any error then means zero devices.
#include <fmt/format.h>

#include <array>
#include <atomic>
#include <map>
#include <mutex>

#include "tensor/error.h"
#include "tensor/recorder.h"
#include "tensor/runtime.h"
#include "tensor/stream_cuda.h"

namespace vae {
namespace {

constexpr size_t kMaxWatched = 64;  // devices
std::array<std::atomic<StreamWatch*>, kMaxWatched> g_watches{};

StreamWatch* watch_of(int index) { return g_watches.at(static_cast<size_t>(index)); }

class CudaGraph final : public RecordedWork {
 public:
  CudaGraph(int index, cudaGraph_t graph) : index_(index) {
    use_device(index);
    check_cuda(cudaGraphInstantiateWithFlags(&executable_, graph, 0), "instantiate graph");
  }
  ~CudaGraph() override { cudaGraphExecDestroy(executable_); }
  void replay() override {
    use_device(index_);
    check_cuda(cudaGraphLaunch(executable_, compute_stream(index_)), "launch graph");
    if (StreamWatch* watch = watch_of(index_)) watch->replayed();
  }

 private:
  int index_;
  cudaGraphExec_t executable_ = nullptr;
};

/// A graph while it lives.
struct Captured {
  cudaGraph_t graph = nullptr;
  Captured() = default;
  ~Captured() {
    if (graph) cudaGraphDestroy(graph);
  }
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;
};

/// What there is, or why there is nothing.
struct Probe {
  int count = 0;
  std::string reason;

  Probe() {
    int driver = 0, runtime = 0;
    cudaDriverGetVersion(&driver);  // 0 where there is none
    cudaRuntimeGetVersion(&runtime);
    const cudaError_t status = cudaGetDeviceCount(&count);
    if (status == cudaSuccess) return;
    cudaGetLastError();  // clear: no later call failed
    count = 0;
    if (driver == 0)
      reason = "no CUDA driver is installed";
    else if (status == cudaErrorInsufficientDriver)
      reason =
          fmt::format("its driver serves CUDA {}, this program needs {}", version(driver), version(runtime));
    else
      reason = cudaGetErrorString(status);
  }
  static std::string version(int number) { return fmt::format("{}.{}", number / 1000, number % 1000 / 10); }
};

class CudaRuntime final : public DeviceRuntime {
 public:
  int count() const override { return probe().count; }
  std::string why_none() const override { return probe().reason; }
  std::string name(int index) const override {
    cudaDeviceProp properties{};
    check_cuda(cudaGetDeviceProperties(&properties, index), "get properties");
    return properties.name;
  }
  std::optional<double> free_bytes(int index) const override {
    use_device(index);
    size_t free = 0, total = 0;
    check_cuda(cudaMemGetInfo(&free, &total), "get free memory");
    return static_cast<double>(free);
  }
  void* allocate(int index, size_t bytes) override {
    require_device({DeviceType::cuda, index});
    use_device(index);
    void* pointer = nullptr;
    const cudaError_t status = cudaMalloc(&pointer, bytes);
    if (status != cudaErrorMemoryAllocation) return check_cuda(status, "allocate"), pointer;
    cudaGetLastError();  // clear: the allocator retries after trimming
    return nullptr;
  }
  void release(int index, void* pointer) override {
    use_device(index);
    check_cuda(cudaFree(pointer), "free");  // waits for the work that may still use it
  }
  void copy_from_host(int index, void* to, const void* from, size_t bytes) override {
    copy_and_wait(index, to, from, bytes, cudaMemcpyHostToDevice, "copy to device");
  }
  void copy_to_host(int index, void* to, const void* from, size_t bytes) override {
    copy_and_wait(index, to, from, bytes, cudaMemcpyDeviceToHost, "copy to host");
  }
  void copy_on_device(int index, void* to, const void* from, size_t bytes) override {
    use_device(index);
    check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, compute_stream(index)),
               "copy on device");
  }
  void fill_zero(int index, void* to, size_t bytes) override {
    use_device(index);
    check_cuda(cudaMemsetAsync(to, 0, bytes, compute_stream(index)), "fill");
  }
  void synchronize(int index) override {
    use_device(index);
    check_cuda(cudaDeviceSynchronize(), "synchronize");
    if (StreamWatch* watch = watch_of(index)) watch->waited();
  }
  double time_ms(int index, const std::function<void()>& queue) override {
    use_device(index);
    CudaEvent begin, end;
    begin.record(compute_stream(index));
    queue();
    end.record(compute_stream(index));
    return end.since(begin);
  }
  std::unique_ptr<RecordedWork> record(int index, const std::function<void()>& queue) override {
    use_device(index);
    const cudaStream_t stream = compute_stream(index);
    Captured captured;
    const Recording recording;
    // Relaxed: memory that the cache lacks may be allocated on the way.
    check_cuda(cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed), "begin of recording");
    try {
      queue();
    } catch (...) {
      cudaStreamEndCapture(stream, &captured.graph);
      cudaGetLastError();  // clear what the broken capture left
      throw;
    }
    check_cuda(cudaStreamEndCapture(stream, &captured.graph), "end of recording");
    return std::make_unique<CudaGraph>(index, captured.graph);
  }

 private:
  static const Probe& probe() {
    static const Probe probe;
    return probe;
  }
  static void copy_and_wait(int index, void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            const char* what) {
    use_device(index);
    const cudaStream_t stream = compute_stream(index);
    if (is_recording(stream)) refuse_recorded_copy({DeviceType::cuda, index});  // by another thread, too
    check_cuda(cudaMemcpyAsync(to, from, bytes, kind, stream), what);
    check_cuda(cudaStreamSynchronize(stream), what);
    if (StreamWatch* watch = watch_of(index)) watch->waited();
  }
};

/// Whether a status tells what a kernel did on the device at some time before the call that returned it.
bool is_asynchronous(cudaError_t status) {
  switch (status) {
    case cudaErrorIllegalAddress:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorIllegalInstruction:
    case cudaErrorHardwareStackError:
    case cudaErrorLaunchFailure:
    case cudaErrorLaunchTimeout:
    case cudaErrorAssert:
    case cudaErrorECCUncorrectable:
      return true;
    default:
      return false;
  }
}

}  // namespace

void check_cuda(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // clear
  fail(ErrorKind::device, "CUDA{} {}: {}", is_asynchronous(status) ? ", at or before" : "", what,
       cudaGetErrorString(status));
}

void fail_in_library(const char* library, const char* what, const char* words) {
  const cudaError_t status = cudaGetLastError();
  if (is_asynchronous(status)) check_cuda(status, what);
  fail(ErrorKind::device, "{} {}: {}", library, what, words);
}

void wait_if_asked(cudaStream_t stream, const char* what) {
  if (sync_launches() && !is_recording(stream)) check_cuda(cudaStreamSynchronize(stream), what);
}

void use_device(int index) { check_cuda(cudaSetDevice(index), "set device"); }

namespace {

/// One stream per device, created when first asked for. Deliberately never destroyed: the driver may be gone
/// before static objects are.
class Streams {
 public:
  cudaStream_t of(int index) {
    const std::lock_guard lock(mutex_);
    const auto found = streams_.find(index);
    if (found != streams_.end()) return found->second;
    use_device(index);
    cudaStream_t stream = nullptr;
    check_cuda(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "create stream");
    return streams_[index] = stream;
  }

 private:
  std::mutex mutex_;
  std::map<int, cudaStream_t> streams_;
};

}  // namespace

cudaStream_t compute_stream(int index) {
  static auto* streams = new Streams;
  return streams->of(index);
}

bool is_recording(cudaStream_t stream) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  check_cuda(cudaStreamIsCapturing(stream, &status), "ask a stream");
  return status != cudaStreamCaptureStatusNone;
}

void watch_stream(int index, StreamWatch* watch) { g_watches.at(static_cast<size_t>(index)) = watch; }

CudaEvent::CudaEvent(Timing timing) {
  const unsigned flags = timing == Timing::on ? cudaEventDefault : cudaEventDisableTiming;
  check_cuda(cudaEventCreateWithFlags(&event_, flags), "create event");
}
CudaEvent::~CudaEvent() { cudaEventDestroy(event_); }
void CudaEvent::record(cudaStream_t stream) { check_cuda(cudaEventRecord(event_, stream), "record event"); }

void CudaEvent::hold(cudaStream_t stream) const {
  check_cuda(cudaStreamWaitEvent(stream, event_, 0), "wait for event");
}

bool CudaEvent::reached() const {
  const cudaError_t status = cudaEventQuery(event_);
  if (status == cudaErrorNotReady)
    cudaGetLastError();  // clear: it is an answer
  else
    check_cuda(status, "query event");
  return status == cudaSuccess;
}

double CudaEvent::since(const CudaEvent& begin) const {
  check_cuda(cudaEventSynchronize(event_), "synchronize event");
  float ms = 0;
  check_cuda(cudaEventElapsedTime(&ms, begin.event_, event_), "time between events");
  return ms;
}

DeviceRuntime* detail::cuda_runtime() {
  static auto* runtime = new CudaRuntime;
  return runtime;
}

}  // namespace vae
