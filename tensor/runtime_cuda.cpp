// CUDA memory, copies and streams. The driver is probed on the first use; any error then means zero devices.
#include <map>
#include <mutex>

#include "tensor/error.h"
#include "tensor/runtime.h"
#include "tensor/stream_cuda.h"

namespace vae {
namespace {

class CudaGraph final : public RecordedWork {
 public:
  CudaGraph(int index, cudaGraph_t graph) : index_(index) {
    check_cuda(cudaGraphInstantiateWithFlags(&executable_, graph, 0), "instantiate graph");
  }
  ~CudaGraph() override { cudaGraphExecDestroy(executable_); }
  void replay() override {
    const CurrentDevice current(index_);
    check_cuda(cudaGraphLaunch(executable_, compute_stream(index_)), "launch graph");
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

class CudaRuntime final : public DeviceRuntime {
 public:
  int count() const override {
    static const int count = [] {
      int n = 0;
      return cudaGetDeviceCount(&n) == cudaSuccess ? n : 0;
    }();
    return count;
  }
  std::string name(int index) const override {
    cudaDeviceProp properties{};
    check_cuda(cudaGetDeviceProperties(&properties, index), "get properties");
    return properties.name;
  }
  std::optional<double> free_bytes(int index) const override {
    const CurrentDevice current(index);
    size_t free = 0, total = 0;
    check_cuda(cudaMemGetInfo(&free, &total), "get free memory");
    return static_cast<double>(free);
  }
  void* allocate(int index, size_t bytes) override {
    require_device({DeviceType::cuda, index});
    const CurrentDevice current(index);
    void* pointer = nullptr;
    if (cudaMalloc(&pointer, bytes) == cudaSuccess) return pointer;
    cudaGetLastError();  // clear: the allocator retries after trimming
    return nullptr;
  }
  void release(int index, void* pointer) override {
    const CurrentDevice current(index);
    cudaFree(pointer);  // waits for the work that may still use it
  }
  void copy_from_host(int index, void* to, const void* from, size_t bytes) override {
    copy_and_wait(index, to, from, bytes, cudaMemcpyHostToDevice, "copy to device");
  }
  void copy_to_host(int index, void* to, const void* from, size_t bytes) override {
    copy_and_wait(index, to, from, bytes, cudaMemcpyDeviceToHost, "copy to host");
  }
  void copy_on_device(int index, void* to, const void* from, size_t bytes) override {
    const CurrentDevice current(index);
    check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, compute_stream(index)),
               "copy on device");
  }
  void fill_zero(int index, void* to, size_t bytes) override {
    const CurrentDevice current(index);
    check_cuda(cudaMemsetAsync(to, 0, bytes, compute_stream(index)), "fill");
  }
  void synchronize(int index) override {
    const CurrentDevice current(index);
    check_cuda(cudaDeviceSynchronize(), "synchronize");
  }
  double time_ms(int index, const std::function<void()>& queue) override {
    const CurrentDevice current(index);
    CudaEvent begin, end;
    begin.record(compute_stream(index));
    queue();
    end.record(compute_stream(index));
    return end.since(begin);
  }
  std::unique_ptr<RecordedWork> record(int index, const std::function<void()>& queue) override {
    const CurrentDevice current(index);
    const cudaStream_t stream = compute_stream(index);
    Captured captured;
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
  static void copy_and_wait(int index, void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            const char* what) {
    const CurrentDevice current(index);
    const cudaStream_t stream = compute_stream(index);
    if (is_recording(stream))
      fail(ErrorKind::device, "a recorded step copies between the host and a tensor on cuda:{}", index);
    check_cuda(cudaMemcpyAsync(to, from, bytes, kind, stream), what);
    check_cuda(cudaStreamSynchronize(stream), what);
  }
};

}  // namespace

void check_cuda(cudaError_t status, const char* what) {
  if (status != cudaSuccess) fail(ErrorKind::device, "CUDA {}: {}", what, cudaGetErrorString(status));
}

CurrentDevice::CurrentDevice(int index) {
  check_cuda(cudaGetDevice(&previous_), "get device");
  check_cuda(cudaSetDevice(index), "set device");
}

CurrentDevice::~CurrentDevice() { cudaSetDevice(previous_); }

namespace {

/// One stream per device, created when first asked for. Deliberately never destroyed: the driver may be gone
/// before static objects are.
class Streams {
 public:
  cudaStream_t of(int index) {
    const std::lock_guard lock(mutex_);
    const auto found = streams_.find(index);
    if (found != streams_.end()) return found->second;
    const CurrentDevice current(index);
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

CudaEvent::CudaEvent() { check_cuda(cudaEventCreate(&event_), "create event"); }
CudaEvent::~CudaEvent() { cudaEventDestroy(event_); }
void CudaEvent::record(cudaStream_t stream) { check_cuda(cudaEventRecord(event_, stream), "record event"); }

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
