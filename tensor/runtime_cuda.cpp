// CUDA memory, copies and streams. The driver is probed on the first use; any error then means zero devices.
#include <map>
#include <mutex>

#include "tensor/error.h"
#include "tensor/runtime.h"
#include "tensor/stream_cuda.h"

namespace vae {
namespace {

class CudaRuntime final : public DeviceRuntime {
 public:
  int count() const override {
    static const int count = [] {
      int n = 0;
      return cudaGetDeviceCount(&n) == cudaSuccess ? n : 0;
    }();
    return count;
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

 private:
  static void copy_and_wait(int index, void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            const char* what) {
    const CurrentDevice current(index);
    const cudaStream_t stream = compute_stream(index);
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

cudaStream_t compute_stream(int index) {
  // Deliberately never destroyed: the driver may be gone before static objects are.
  static auto* mutex = new std::mutex;
  static auto* streams = new std::map<int, cudaStream_t>;
  const std::lock_guard lock(*mutex);
  const auto found = streams->find(index);
  if (found != streams->end()) return found->second;
  const CurrentDevice current(index);
  cudaStream_t stream = nullptr;
  check_cuda(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "create stream");
  return (*streams)[index] = stream;
}

DeviceRuntime* detail::cuda_runtime() {
  static auto* runtime = new CudaRuntime;
  return runtime;
}

}  // namespace vae
