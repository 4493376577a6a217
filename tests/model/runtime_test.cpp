// The model's CUDA runtime: what runs when, what is refused, and how a broken device answers.
#include <thread>

#include "kernels/model/stream.h"
#include "tests/model/vendor.h"
#include "tests/scoped_variable.h"

namespace vae {
namespace {

/// A stream of the device that is current, and work on it that says when it ran.
class Runtime : public test::Vendor {
 protected:
  void SetUp() override {
    ASSERT_EQ(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), cudaSuccess);
  }
  cudaError_t queue_probe(int number = 1) {
    return model::queue(stream_, "probe", {}, [this, number] { ran_.push_back(number); });
  }
  cudaStream_t stream_ = nullptr;
  std::vector<int> ran_;
};

TEST_F(Runtime, WorkRunsWhenSomethingWaitsForItAndNotBefore) {
  void* memory = nullptr;
  float host[4] = {1, 2, 3, 4};
  ASSERT_EQ(cudaMalloc(&memory, sizeof host), cudaSuccess);
  const auto runs_at = [&](const char* what, const std::function<cudaError_t()>& waits) {
    ran_.clear();
    EXPECT_EQ(queue_probe(), cudaSuccess);
    EXPECT_EQ(cudaMemcpyAsync(memory, host, sizeof host, cudaMemcpyHostToDevice, stream_), cudaSuccess);
    EXPECT_EQ(cudaMemsetAsync(memory, 0, 4, stream_), cudaSuccess);
    EXPECT_TRUE(ran_.empty()) << what << ": too early";
    EXPECT_EQ(waits(), cudaSuccess) << what;
    EXPECT_EQ(ran_.size(), 1u) << what;
  };
  runs_at("stream", [&] { return cudaStreamSynchronize(stream_); });
  runs_at("device", [&] { return cudaDeviceSynchronize(); });
  runs_at("copy to pageable memory",
          [&] { return cudaMemcpyAsync(host, memory, sizeof host, cudaMemcpyDeviceToHost, stream_); });
  EXPECT_EQ(host[0], 0);
  EXPECT_EQ(host[3], 4);
  runs_at("free", [&] { return cudaFree(memory); });
}

TEST_F(Runtime, AHostToDeviceCopyHasReadItsSourceWhenItReturns) {
  const test::DeviceArray<float> x(test::nans(2));
  std::vector<float> source{1, 2};
  ASSERT_EQ(cudaMemcpyAsync(x.data(), source.data(), x.bytes(), cudaMemcpyHostToDevice, stream_),
            cudaSuccess);
  source = {7, 7};
  ASSERT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
  EXPECT_EQ(x.values(), (std::vector<double>{1, 2}));
}

TEST_F(Runtime, AnEventIsReachedByTheWorkBeforeIt) {
  cudaEvent_t begin = nullptr, end = nullptr;
  float ms = -1;
  ASSERT_EQ(cudaEventCreate(&begin), cudaSuccess);
  ASSERT_EQ(cudaEventCreate(&end), cudaSuccess);
  EXPECT_EQ(cudaEventElapsedTime(&ms, begin, end), cudaErrorInvalidResourceHandle) << "never recorded";
  EXPECT_EQ(cudaEventRecord(begin, stream_), cudaSuccess);
  queue_probe(1);
  EXPECT_EQ(cudaEventRecord(end, stream_), cudaSuccess);
  queue_probe(2);
  EXPECT_EQ(cudaEventElapsedTime(&ms, begin, end), cudaErrorNotReady);
  EXPECT_EQ(cudaEventSynchronize(end), cudaSuccess);
  EXPECT_EQ(ran_, std::vector<int>{1}) << "what stands behind the event waits";
  EXPECT_EQ(cudaEventElapsedTime(&ms, begin, end), cudaSuccess);
  EXPECT_GE(ms, 0);
  EXPECT_EQ(cudaEventDestroy(begin), cudaSuccess);
  EXPECT_EQ(cudaEventDestroy(end), cudaSuccess);
  EXPECT_EQ(cudaEventRecord(end, stream_), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
}

TEST_F(Runtime, CopiesMustBeOfTheirKind) {
  const test::DeviceArray<float> x({1, 2});
  float host[2] = {};
  const auto copy = [&](void* to, const void* from, cudaMemcpyKind kind) {
    return cudaMemcpyAsync(to, from, sizeof host, kind, stream_);
  };
  EXPECT_EQ(copy(host, x.data(), cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  EXPECT_EQ(copy(x.data(), host, cudaMemcpyDeviceToHost), cudaErrorInvalidValue);
  EXPECT_EQ(copy(x.data(), host, cudaMemcpyDeviceToDevice), cudaErrorInvalidValue);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidValue);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess) << "read is cleared";
}

TEST_F(Runtime, MemoryIsLimitedNanAndClosedToTheHost) {
  void* memory = nullptr;
  size_t free = 0, total = 0;
  ASSERT_EQ(cudaMemGetInfo(&free, &total), cudaSuccess);
  EXPECT_EQ(total, model::kDeviceBytes);
  EXPECT_EQ(cudaMalloc(&memory, free + 1), cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaGetLastError(), cudaErrorMemoryAllocation);
  ASSERT_EQ(cudaMalloc(&memory, 1000), cudaSuccess);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % 256, 0u);
  float host = 0;
  cudaMemcpyAsync(&host, memory, sizeof host, cudaMemcpyDeviceToHost, stream_);
  EXPECT_TRUE(std::isnan(host));
  size_t less = 0;
  cudaMemGetInfo(&less, &total);
  EXPECT_EQ(less, free - 1024);
  EXPECT_EQ(cudaFree(static_cast<char*>(memory) + 8), cudaErrorInvalidValue) << "not its beginning";
  EXPECT_EQ(cudaFree(memory), cudaSuccess);
  EXPECT_EQ(cudaFree(memory), cudaErrorInvalidValue) << "twice";
  EXPECT_EQ(cudaFree(nullptr), cudaSuccess);
  cudaGetLastError();
}

TEST_F(Runtime, HostAccessEndsTheProcess) {
  const test::DeviceArray<float> x({1, 2});
  EXPECT_EXIT({ [[maybe_unused]] const volatile float v = *x.data(); }, testing::KilledBySignal(SIGSEGV),
              "device memory was used by the host");
}

TEST_F(Runtime, DevicesKeepApart) {
  const test::ScopedVariable two("VAE_MODEL_DEVICES", "2");
  int count = 0, current = -1;
  EXPECT_EQ(cudaGetDeviceCount(&count), cudaSuccess);
  EXPECT_EQ(count, 2);
  EXPECT_EQ(cudaSetDevice(2), cudaErrorInvalidDevice);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidDevice);
  ASSERT_EQ(cudaSetDevice(1), cudaSuccess);
  std::thread([&] { cudaGetDevice(&current); }).join();
  EXPECT_EQ(current, 0) << "each thread has a current device of its own";
  EXPECT_EQ(queue_probe(), cudaErrorInvalidResourceHandle) << "a stream of device 0";
  {
    const test::DeviceArray<float> here({1, 2});
    EXPECT_EQ(model::device_of_address(here.data()), 1);
    cudaStream_t other = nullptr;
    ASSERT_EQ(cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking), cudaSuccess);
    cudaSetDevice(0);
    queue_probe();
    cudaSetDevice(1);
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    EXPECT_TRUE(ran_.empty()) << "the work of device 0 was not waited for";
    EXPECT_EQ(here.values(), (std::vector<double>{1, 2}));
  }
  cudaSetDevice(0);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  EXPECT_EQ(ran_.size(), 1u);
}

TEST_F(Runtime, ADeviceIsUsedFromTheFirstCallThatNeedsIt) {
  const test::ScopedVariable eight("VAE_MODEL_DEVICES", "8");
  int count = 0;
  cudaDeviceProp properties{};
  EXPECT_EQ(cudaGetDeviceCount(&count), cudaSuccess);
  EXPECT_EQ(cudaGetDeviceProperties(&properties, 7), cudaSuccess);
  EXPECT_FALSE(model::has_context(7)) << "asking is not using";
  EXPECT_EQ(cudaSetDevice(7), cudaSuccess);
  EXPECT_TRUE(model::has_context(7));
  EXPECT_EQ(cudaSetDevice(0), cudaSuccess);
}

TEST_F(Runtime, WithoutADriverNothingWorksAndSaysWhy) {
  const auto refused = [](cudaError_t expected) {
    int count = 7, version = -1;
    void* memory = nullptr;
    EXPECT_EQ(cudaGetDeviceCount(&count), expected);
    EXPECT_EQ(cudaMalloc(&memory, 8), expected);
    EXPECT_EQ(cudaGetLastError(), expected);
    cudaDriverGetVersion(&version);
    return version;
  };
  {
    const test::ScopedVariable none("VAE_MODEL_DRIVER", "none");
    EXPECT_EQ(refused(cudaErrorInsufficientDriver), 0);
  }
  {
    const test::ScopedVariable old("VAE_MODEL_DRIVER", "old");
    const int version = refused(cudaErrorInsufficientDriver);
    EXPECT_GT(version, 0);
    EXPECT_LT(version, CUDART_VERSION);
  }
  const test::ScopedVariable devices("VAE_MODEL_DEVICES", "0");
  EXPECT_EQ(refused(cudaErrorNoDevice), CUDART_VERSION);
  EXPECT_STREQ(cudaGetErrorString(cudaErrorNoDevice), "no CUDA-capable device is detected");
}

TEST_F(Runtime, ABrokenDeviceStaysBroken) {
  const test::DeviceArray<float> x({1, 2});
  EXPECT_EQ(model::queue(stream_, "bad", {}, [] { fail(ErrorKind::device, "reads too far"); }), cudaSuccess);
  EXPECT_EQ(queue_probe(), cudaSuccess) << "not found yet";
  EXPECT_EQ(cudaStreamSynchronize(stream_), cudaErrorIllegalAddress);
  EXPECT_TRUE(ran_.empty()) << "what was queued behind it is gone";
  void* memory = nullptr;
  EXPECT_EQ(cudaMalloc(&memory, 8), cudaErrorIllegalAddress);
  EXPECT_EQ(cudaGetLastError(), cudaErrorIllegalAddress);
  EXPECT_EQ(cudaGetLastError(), cudaErrorIllegalAddress) << "reading does not clear it";
  expect_violation("device 0, bad: reads too far");
  EXPECT_EQ(cudaMalloc(&memory, 8), cudaSuccess);
  EXPECT_EQ(cudaFree(memory), cudaSuccess);
}

TEST_F(Runtime, AFaultHitsTheCallThatItIsFor) {
  void* memory = nullptr;
  const model::Fault fault("cudaMalloc", 2, cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaMalloc(&memory, 8), cudaSuccess);
  cudaFree(memory);
  EXPECT_EQ(cudaMalloc(&memory, 8), cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaGetLastError(), cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaMalloc(&memory, 8), cudaSuccess);
  cudaFree(memory);
}

}  // namespace
}  // namespace vae
