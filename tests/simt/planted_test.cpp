// The emulator must catch what it is for: one planted bug after the other, each beside its right form.
#include <gtest/gtest.h>

#include <csignal>
#include <set>

#include "kernels/cuda/reduce.h"
#include "tests/expect_error.h"
#include "tests/numeric.h"

namespace vae::kernels::VAE_GPU {
namespace {

using Order = vae::simt::Order;  // not that of batches

const Device kSimt{DeviceType::simt, 0};
constexpr unsigned kN = 64;  // threads of a block: two warps

Tensor device_vector(int64_t n, double low = -2, double high = 2) {
  return test::sample_tensor({n}, DType::f32, kSimt, low, high);
}

template <class Kernel, class... Args>
void run_block(const char* name, Kernel kernel, Args... args) {
  launch(name, kernel, LaunchConfig{dim3(1), dim3(kN), {}}, args...);
}

/// The launch fails with these words, in every order of threads; the machine works on afterwards.
template <class Kernel>
void expect_caught(const std::string& words, Kernel kernel) {
  for (const Order order : {Order::forward, Order::backward, Order::shuffled}) {
    const OrderScope scope(order, 3);
    const Tensor y = device_vector(kN);
    test::expect_error(ErrorKind::device, words, [&] { run_block("planted", kernel, y.data<float>()); });
  }
  const Tensor x = device_vector(kN), y = x.clone();
  softmax_fwd(x, y);
  for (const double v : to_doubles(y)) EXPECT_GT(v, 0);
}

template <class Kernel>
std::vector<double> result_of(Kernel kernel, int64_t n = kN) {
  const Tensor y = Tensor::zeros({n}, DType::f32, kSimt);
  run_block("right", kernel, y.data<float>());
  return to_doubles(y);
}

/// Each thread writes its element and reads that of another warp.
template <bool barrier>
__global__ void reverse_kernel(float* y) {
  VAE_SHARED(float, tile, kN);
  tile[threadIdx.x] = static_cast<float>(threadIdx.x);
  if (barrier) __syncthreads();
  y[threadIdx.x] = tile[kN - 1 - threadIdx.x];
}

TEST(Planted, MissingBarrier) {
  EXPECT_EQ(result_of(reverse_kernel<true>)[1], kN - 2);
  const Tensor y = device_vector(kN);
  // What is read was not yet written by the later half of the threads, or was written without a barrier.
  for (const Order order : {Order::forward, Order::backward}) {
    const OrderScope scope(order);
    test::expect_error(ErrorKind::device, "simt kernel planted, block (0,0,0), thread (",
                       [&] { run_block("planted", reverse_kernel<false>, y.data<float>()); });
  }
}

/// Without the second barrier a thread writes the next round's value while others still read this one's.
template <bool barrier>
__global__ void reuse_kernel(float* y) {
  VAE_SHARED(float, tile, kN);
  float sum = 0;
  for (int round = 0; round < 3; ++round) {
    tile[threadIdx.x] = static_cast<float>(round);
    __syncthreads();
    sum += tile[kN - 1 - threadIdx.x];
    if (barrier) __syncthreads();
  }
  y[threadIdx.x] = sum;
}

TEST(Planted, WriteAfterReadReuse) {
  EXPECT_EQ(result_of(reuse_kernel<true>)[0], 3);
  expect_caught(" with no barrier between", reuse_kernel<false>);
}

__global__ void write_write_kernel(float*) {
  VAE_SHARED(float, total, 1);
  total[0] = static_cast<float>(threadIdx.x);
}

TEST(Planted, TwoWriters) { expect_caught("writes shared total[0], which thread", write_write_kernel); }

__global__ void half_barrier_kernel(float* y) {
  if (threadIdx.x < kN / 2) __syncthreads();
  y[threadIdx.x] = 0;
}

__global__ void two_barriers_kernel(float* y) {
  if (threadIdx.x % 2)
    __syncthreads();
  else
    __syncthreads();
  y[threadIdx.x] = 0;
}

__global__ void half_shuffle_kernel(float* y) {
  if (threadIdx.x % 2) y[threadIdx.x] = __shfl_xor_sync(0xffffffffu, 1.0f, 2);
}

__global__ void absent_lane_kernel(float* y) {
  if (threadIdx.x % kWarp < 16) y[threadIdx.x] = __shfl_xor_sync(0xffffu, 1.0f, 16);
}

TEST(Planted, BarrierInDivergentCode) {
  expect_caught("threads diverge: thread (0,0,0) is in __syncthreads at planted_test.cpp:",
                half_barrier_kernel);
  expect_caught("is in __syncthreads at planted_test.cpp:", two_barriers_kernel);
}

TEST(Planted, DivergentShuffle) {
  expect_caught("thread (1,0,0) is in __shfl_xor_sync", half_shuffle_kernel);
  expect_caught("__shfl_xor_sync reads lane", absent_lane_kernel);
}

__global__ void overrun_kernel(float* y) {
  VAE_SHARED(float, tile, kN);
  tile[threadIdx.x + 1] = 1;
  y[threadIdx.x] = 0;
}

__global__ void negative_kernel(float* y) {
  VAE_SHARED(float, tile, kN);
  tile[static_cast<int>(threadIdx.x) - 1] = 1;
  y[threadIdx.x] = 0;
}

TEST(Planted, SharedOverrun) {
  expect_caught("shared tile[64] is out of range, it has 64 elements", overrun_kernel);
  expect_caught("shared tile[-1] is out of range", negative_kernel);
}

__global__ void uninitialised_kernel(float* y) {
  VAE_SHARED(float, tile, kN);
  if (threadIdx.x != 40) tile[threadIdx.x] = 1;
  __syncthreads();
  y[threadIdx.x] = tile[threadIdx.x];
}

TEST(Planted, UninitialisedSharedRead) {
  expect_caught("thread (40,0,0), planted_test.cpp:", uninitialised_kernel);
  expect_caught("reads shared tile[40], which the block has not written", uninitialised_kernel);
}

TEST(Planted, SharedMemoryOfAnEarlierBlock) {
  const auto once = +[](float* y) {
    VAE_SHARED(float, tile, 1);
    if (blockIdx.x == 0 && threadIdx.x == 0) tile[0] = 1;
    __syncthreads();
    y[threadIdx.x] = tile[0];
  };
  const Tensor y = device_vector(kN);
  test::expect_error(ErrorKind::device, "block (1,0,0), thread (0,0,0)", [&] {
    launch("planted", once, LaunchConfig{dim3(2), dim3(kN), {}}, y.data<float>());
  });
}

/// Neighbours of a warp exchange through shared memory.
template <bool sync>
__global__ void warp_exchange_kernel(float* y) {
  VAE_SHARED(float, tile, kN);
  tile[threadIdx.x] = static_cast<float>(threadIdx.x);
  if (sync)
    __syncwarp();
  else
    __shfl_xor_sync(0xffffffffu, 1, 1);
  y[threadIdx.x] = tile[threadIdx.x ^ 1u];
}

TEST(Emulator, SyncwarpOrdersSharedMemoryAndAShuffleDoesNot) {
  EXPECT_EQ(result_of(warp_exchange_kernel<true>)[2], 3);
  expect_caught("with no barrier between", warp_exchange_kernel<false>);
}

__global__ void beyond_kernel(float* y) { y[threadIdx.x] = 1; }
__global__ void before_kernel(float* y) { y[-1 - static_cast<int>(threadIdx.x)] = 1; }

TEST(Planted, GlobalOverrun) {
  EXPECT_EQ(result_of(beyond_kernel)[kN - 1], 1);
  const Tensor y =
      device_vector(kN - 1);  // the allocator's block has room for 64 floats, one more than asked
  const auto caught = [&](const std::string& words, void (*kernel)(float*)) {
    test::expect_error(ErrorKind::device, words, [&] { run_block("planted", kernel, y.data<float>()); });
    fill(y, 1);  // the zone is mended
  };
  caught("simt kernel planted wrote outside a buffer of 252 bytes, at byte 252", beyond_kernel);
  caught("wrote outside a buffer of 252 bytes, at byte -", before_kernel);
}

TEST(Emulator, FreshMemoryIsNaN) {
  for (int round = 0; round < 2; ++round) {  // new, then again from the cache
    const Tensor x = Tensor::empty({1237}, DType::f32, kSimt), y = Tensor::empty({1237}, DType::f64, kSimt);
    for (const Tensor& tensor : {x, y})
      for (const double v : to_doubles(tensor)) EXPECT_TRUE(std::isnan(v));
    fill(x, 1), fill(y, 1);
  }
}

TEST(PlantedDeathTest, HostDereferenceOfDeviceMemory) {
  const Tensor y = device_vector(kN);
  const volatile float* pointer = y.data<float>();
  EXPECT_EXIT({ [[maybe_unused]] const float v = *pointer; }, testing::KilledBySignal(SIGSEGV),
              "device memory was used by the host");
  const Tensor x = Tensor::zeros({int64_t{kN}});
  EXPECT_EXIT(cpu::cast(y, x), testing::KilledBySignal(SIGSEGV), "device memory was used by the host");
}

__global__ void atomic_sum_kernel(const float* x, float* y) { atomicAdd(y, x[threadIdx.x]); }
__global__ void atomic_count_kernel(const float* x, int* y) { atomicAdd(y, x[threadIdx.x] > 0 ? 1 : 0); }
__global__ void ordered_sum_kernel(const float* x, float* y) {
  const float sum = row_reduce(x[threadIdx.x], Plus{});
  if (threadIdx.x == 0) *y = sum;
}

TEST(Planted, FloatAtomicOrderDependence) {
  const Tensor x = device_vector(kN, 1e-3, 1);
  std::set<float> atomic, ordered;
  std::set<int64_t> counts;
  for (uint64_t seed = 0; seed < 8; ++seed) {
    const OrderScope scope(Order::shuffled, seed);
    const Tensor y = Tensor::zeros({}, DType::f32, kSimt), z = Tensor::zeros({}, DType::f32, kSimt);
    const Tensor n = Tensor::zeros({}, DType::i64, kSimt);
    run_block("atomic_sum", atomic_sum_kernel, x.data<float>(), y.data<float>());
    run_block("ordered_sum", ordered_sum_kernel, x.data<float>(), z.data<float>());
    run_block("atomic_count", atomic_count_kernel, x.data<float>(), static_cast<int*>(n.raw()));
    atomic.insert(y.to_vector<float>()[0]);
    ordered.insert(z.to_vector<float>()[0]);
    counts.insert(n.to_vector<int64_t>()[0]);
  }
  EXPECT_GT(atomic.size(), 1u) << "the orders are all alike";
  EXPECT_EQ(ordered.size(), 1u);
  EXPECT_EQ(counts, std::set<int64_t>{kN});
}

__global__ void warp_kernel(float* y) {
  const auto me = static_cast<int>(threadIdx.x);
  const uint32_t odd = __ballot_sync(0xffffffffu, me % 2);
  y[me] = odd == 0xaaaaaaaau ? 1 : 0;
  y[kN + me] = static_cast<float>(__shfl_down_sync(0xffffffffu, me, 3));
  y[2 * kN + me] = static_cast<float>(__shfl_sync(0xffffffffu, int64_t{me}, 5));
  if (me % 32 < 16) y[3 * kN + me] = static_cast<float>(__shfl_xor_sync(0xffffu, double(me), 9));
}

TEST(Emulator, WarpOperations) {
  const std::vector<double> y = result_of(warp_kernel, 4 * kN);
  for (size_t i = 0; i < kN; ++i) {
    const size_t lane = i % 32;
    EXPECT_EQ(y[i], 1);
    EXPECT_EQ(y[kN + i], lane + 3 < 32 ? i + 3 : i);
    EXPECT_EQ(y[2 * kN + i], i - lane + 5);
    EXPECT_EQ(y[3 * kN + i], lane < 16 ? (i ^ 9u) : 0);
  }
}

TEST(Emulator, RefusesABlockThatIsTooLarge) {
  test::expect_error(ErrorKind::device, "simt kernel planted: a block of 1056 threads", [] {
    launch("planted", half_barrier_kernel, LaunchConfig{dim3(1), dim3(33, 32), {}}, nullptr);
  });
}

}  // namespace
}  // namespace vae::kernels::VAE_GPU
