// CUDA memory and copies. The driver is probed on the first use; any error then means zero devices.
#include <cuda_runtime.h>

#include "tensor/error.h"
#include "tensor/runtime.h"

namespace vae {
namespace {

void check(cudaError_t status, const char* what) {
  if (status != cudaSuccess) fail(ErrorKind::device, "CUDA {}: {}", what, cudaGetErrorString(status));
}

/// Makes a device current for one call and restores the caller's.
class CurrentDevice {
 public:
  explicit CurrentDevice(int index) {
    check(cudaGetDevice(&previous_), "get device");
    check(cudaSetDevice(index), "set device");
  }
  ~CurrentDevice() { cudaSetDevice(previous_); }

 private:
  int previous_ = 0;
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
  void* allocate(int index, size_t bytes) override {
    const CurrentDevice current(index);
    void* pointer = nullptr;
    if (cudaMalloc(&pointer, bytes) == cudaSuccess) return pointer;
    cudaGetLastError();  // clear: the allocator retries after trimming
    return nullptr;
  }
  void release(int index, void* pointer) override {
    const CurrentDevice current(index);
    cudaFree(pointer);
  }
  void copy_from_host(int index, void* to, const void* from, size_t bytes) override {
    const CurrentDevice current(index);
    check(cudaMemcpy(to, from, bytes, cudaMemcpyHostToDevice), "copy to device");
  }
  void copy_to_host(int index, void* to, const void* from, size_t bytes) override {
    const CurrentDevice current(index);
    check(cudaMemcpy(to, from, bytes, cudaMemcpyDeviceToHost), "copy to host");
  }
  void copy_on_device(int index, void* to, const void* from, size_t bytes) override {
    const CurrentDevice current(index);
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice), "copy on device");
  }
  void fill_zero(int index, void* to, size_t bytes) override {
    const CurrentDevice current(index);
    check(cudaMemsetAsync(to, 0, bytes), "fill");
  }
  void synchronize(int index) override {
    const CurrentDevice current(index);
    check(cudaDeviceSynchronize(), "synchronize");
  }
};

}  // namespace

DeviceRuntime* detail::cuda_runtime() {
  static auto* runtime = new CudaRuntime;
  return runtime;
}

}  // namespace vae
