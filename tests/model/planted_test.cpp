// Mistakes in the use of a CUDA device, one after the other, each caught by the model, beside the right form.
// They are made with our own runtime, allocator and launches.
#include "kernels/cuda/launch.h"
#include "kernels/kernels.h"
#include "kernels/model/stream.h"
#include "tensor/allocator.h"
#include "tests/expect_error.h"
#include "tests/model/vendor.h"
#include "tests/scoped_variable.h"

namespace vae::kernels::VAE_GPU {
namespace {

const Device kCuda{DeviceType::cuda, 0}, kSecond{DeviceType::cuda, 1};

class Planted : public test::Vendor {};

__global__ void add_one_kernel(float* x, int64_t n) {
  for (int64_t i = first_x(); i < n; i += step_x()) x[i] += 1;
}

__global__ void too_far_kernel(float* x, int64_t n) {
  for (int64_t i = first_x(); i < n; i += step_x()) x[i + n] = 1;
}

Tensor ones(Device device = kCuda) { return Tensor::from(std::vector<float>(64, 1), {64}, device); }

void add_one(float* x, cudaStream_t stream) {
  launch("add_one", add_one_kernel, LaunchConfig{dim3(1), dim3(64), stream}, x, int64_t{64});
}

/// A device that is broken says so to everything that comes next.
void expect_broken() {
  test::expect_error(ErrorKind::device, "an illegal memory access was encountered",
                     [] { synchronize(kCuda); });
}

TEST_F(Planted, AnArgumentByReferenceWouldChangeAndByValueDoesNot) {
  const Tensor x = ones();
  float* pointer = x.data<float>();
  add_one(pointer, compute_stream(0));
  pointer = nullptr;  // the launch has taken its value
  EXPECT_EQ(x.to_vector<float>()[0], 2);
}

TEST_F(Planted, WorkOnTheWrongStream) {
  const Tensor x = ones();
  add_one(x.data<float>(), compute_stream(0));
  test::expect_error(ErrorKind::device, "CUDA, at or before kernel add_one: an illegal memory access",
                     [&] { add_one(x.data<float>(), nullptr); });
  expect_broken();
  expect_violation("an argument is used by work that is queued on another stream");
}

TEST_F(Planted, ACopyOnTheWrongStream) {
  const Tensor x = ones(), y = ones();
  add_one(x.data<float>(), compute_stream(0));
  EXPECT_EQ(cudaMemcpyAsync(y.data<float>(), x.raw(), 256, cudaMemcpyDeviceToDevice, nullptr), cudaSuccess);
  expect_broken();
  expect_violation("the source is used by work that is queued on another stream");
}

TEST_F(Planted, WorkOnTheWrongDevice) {
  const test::ScopedVariable two("VAE_MODEL_DEVICES", "2");
  const cudaStream_t second = compute_stream(1);
  const Tensor x = ones();
  test::expect_error(ErrorKind::device, "CUDA kernel add_one: invalid resource handle",
                     [&] { add_one(x.data<float>(), second); });
  void* far = model::allocate(1, 256);
  test::expect_error(ErrorKind::device, "CUDA, at or before kernel add_one: an illegal memory access",
                     [&] { add_one(static_cast<float*>(far), compute_stream(0)); });
  expect_violation("an argument is in the memory of device 1, the work is on 0");
  model::release(far);
}

TEST_F(Planted, MemoryOfTheHost) {
  std::vector<float> host(64);
  const Tensor x = ones();
  EXPECT_EQ(cudaMemcpyAsync(x.data<float>(), host.data(), 256, cudaMemcpyDeviceToDevice, compute_stream(0)),
            cudaErrorInvalidValue);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidValue);
}

TEST_F(Planted, MemoryThatIsFreed) {
  void* freed = model::allocate(0, 256);
  const auto* x = static_cast<float*>(freed);
  model::release(freed);
  test::expect_error(ErrorKind::device, "CUDA, at or before kernel add_one: an illegal memory access",
                     [&] { add_one(const_cast<float*>(x), compute_stream(0)); });
  expect_violation("an argument is in memory that is not allocated");
}

/// cudaFree waits for the work; freeing in another way, such as in the order of a stream, does not.
TEST_F(Planted, MemoryFreedWhileQueuedWorkReadsIt) {
  void* memory = nullptr;
  ASSERT_EQ(cudaMalloc(&memory, 256), cudaSuccess);
  add_one(static_cast<float*>(memory), compute_stream(0));
  EXPECT_EQ(cudaFree(memory), cudaSuccess);
  synchronize(kCuda);
  ASSERT_EQ(cudaMalloc(&memory, 256), cudaSuccess);
  add_one(static_cast<float*>(memory), compute_stream(0));
  model::release(memory);
  expect_broken();
  expect_violation("device 0, add_one: an argument is in memory that is not allocated");
}

TEST_F(Planted, MemoryThatSomeoneElseGotMeanwhile) {
  void* memory = model::allocate(0, 256);
  add_one(static_cast<float*>(memory), compute_stream(0));
  model::release(memory);
  void* again = model::allocate(0, 256);
  ASSERT_EQ(memory, again) << "the test wants the same address";
  expect_broken();
  expect_violation("lies in memory that was freed since the work was queued or recorded");
  model::release(again);
}

TEST_F(Planted, AReplayAfterItsPoolDied) {
  CachingAllocator& memory = allocator(kCuda);
  const Tensor x = ones();
  auto pool = std::make_unique<MemoryPool>(memory);
  std::unique_ptr<RecordedWork> work;
  {
    const MemoryPool::Scope scope(*pool);
    work = runtime(DeviceType::cuda).record(0, [&] {
      const Tensor t = Tensor::empty({5000}, DType::f32, kCuda);  // of a size that nobody has cached
      fill(t, 3);
      x.copy_from(t.slice(0, 64));
    });
  }
  work->replay();
  EXPECT_EQ(x.to_vector<float>()[0], 3) << "while the pool lives";
  pool.reset();
  memory.trim();
  work->replay();
  expect_broken();
  expect_violation("is in memory that is not allocated");
}

TEST_F(Planted, AnOverrunIsThatOfItsKernel) {
  const Tensor x = ones(), y = ones();
  launch("too_far", too_far_kernel, LaunchConfig{dim3(1), dim3(64), compute_stream(0)}, x.data<float>(),
         int64_t{64});
  add_one(y.data<float>(), compute_stream(0));
  expect_broken();
  expect_violation("device 0, too_far: simt kernel too_far wrote outside a buffer");
}

/// The failure of a kernel on the device shows at a later call. VAE_SYNC=1, which waits behind each kernel,
/// names the right one.
TEST_F(Planted, AnErrorOfOneKernelBlamedOnAnother) {
  const Tensor x = ones(), y = ones();
  launch("too_far", too_far_kernel, LaunchConfig{dim3(1), dim3(64), compute_stream(0)}, x.data<float>(),
         int64_t{64});
  EXPECT_EQ(cudaStreamSynchronize(compute_stream(0)), cudaErrorIllegalAddress);
  test::expect_error(ErrorKind::device, "CUDA, at or before kernel add_one",
                     [&] { add_one(y.data<float>(), compute_stream(0)); });
  expect_violation("device 0, too_far: ");
}

TEST_F(Planted, ALaunchBeyondTheLimits) {
  const Tensor x = ones();
  for (const auto& [grid, block] :
       {std::pair{dim3(1), dim3(1025)}, {dim3(1, 65536), dim3(1)}, {dim3(1), dim3(1, 1, 65)}})
    test::expect_error(ErrorKind::device, "CUDA kernel add_one: invalid configuration argument", [&] {
      launch("add_one", add_one_kernel, LaunchConfig{grid, block, compute_stream(0)}, x.data<float>(),
             int64_t{64});
    });
  add_one(x.data<float>(), compute_stream(0));
  EXPECT_EQ(x.to_vector<float>()[0], 2) << "the device is whole";
}

TEST_F(Planted, ACopyToTheHostWhileRecording) {
  const Tensor x = ones();
  test::expect_error(ErrorKind::device, "a recorded step copies between the host and a tensor on cuda:0",
                     [&] { runtime(DeviceType::cuda).record(0, [&] { x.to_vector<float>(); }); });
  add_one(x.data<float>(), compute_stream(0));
  EXPECT_EQ(x.to_vector<float>()[0], 2) << "nothing is recorded any more";
}

TEST_F(Planted, AWaitWhileRecording) {
  const Tensor x = ones();
  test::expect_error(ErrorKind::device, "operation not permitted when stream is capturing", [&] {
    runtime(DeviceType::cuda).record(0, [&] {
      add_one(x.data<float>(), compute_stream(0));
      synchronize(kCuda);
    });
  });
  EXPECT_EQ(x.to_vector<float>()[0], 1);
}

TEST_F(Planted, OutOfMemoryAtTheNthAllocation) {
  CachingAllocator memory(kCuda);
  {
    const model::Fault once("cudaMalloc", 1, cudaErrorMemoryAllocation);
    void* block = memory.allocate(100);  // the cache is given back, then it is tried again
    memory.release(block, 100);
  }
  memory.trim();
  test::expect_error(ErrorKind::device, "out of memory on cuda:0: asked for 17179869184 bytes",
                     [&] { memory.allocate(size_t{16} << 30); });
  EXPECT_EQ(cudaGetLastError(), cudaSuccess) << "the refusal does not stay behind";
}

TEST_F(Planted, TwoDevicesSideBySide) {
  const test::ScopedVariable two("VAE_MODEL_DEVICES", "2");
  // The runtime has counted its devices before: their memory is asked for directly.
  const auto run = [](int device) {
    use_device(device);
    void* x = nullptr;
    EXPECT_EQ(cudaMalloc(&x, 256), cudaSuccess);
    EXPECT_EQ(cudaMemsetAsync(x, 0, 256, compute_stream(device)), cudaSuccess);
    for (int i = 0; i <= device; ++i) add_one(static_cast<float*>(x), compute_stream(device));
    return x;
  };
  void *first = run(0), *second = run(1);
  for (const auto& [device, memory, expected] : {std::tuple{0, first, 1.0f}, {1, second, 2.0f}}) {
    use_device(device);
    float host = 0;
    EXPECT_EQ(cudaMemcpyAsync(&host, memory, 4, cudaMemcpyDeviceToHost, compute_stream(device)), cudaSuccess);
    EXPECT_EQ(host, expected);
    EXPECT_EQ(cudaFree(memory), cudaSuccess);
  }
}

}  // namespace
}  // namespace vae::kernels::VAE_GPU
