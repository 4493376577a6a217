#include "tensor/allocator.h"

#include <gtest/gtest.h>

#include <thread>

#include "tensor/tensor.h"
#include "tests/expect_error.h"

#ifdef __SANITIZE_ADDRESS__
// These tests ask for more than the machine has; the sanitizer would end the process instead of refusing.
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1"; }
#endif

namespace vae {
namespace {

using test::expect_error;

/// An allocator of its own; what it cached goes back when the test ends.
class Allocator : public ::testing::Test {
 protected:
  ~Allocator() override { allocator_.trim(); }
  CachingAllocator allocator_{kCpu};
};

TEST(AllocatorSize, RoundUpIsMonotoneCoversTheRequestAndWastesAtMostAnEighth) {
  size_t previous = 0;
  for (size_t bytes = 0; bytes < 200'000; ++bytes) {
    const size_t rounded = CachingAllocator::round_up(bytes);
    ASSERT_GE(rounded, bytes);
    ASSERT_GE(rounded, previous);
    ASSERT_EQ(rounded % 64, 0u);
    ASSERT_EQ(CachingAllocator::round_up(rounded), rounded);
    ASSERT_LE(rounded - bytes, std::max<size_t>(63, bytes / 8));
    previous = rounded;
  }
}

TEST_F(Allocator, NothingForNothing) {
  EXPECT_EQ(allocator_.allocate(0), nullptr);
  allocator_.release(nullptr, 0);
  EXPECT_EQ(allocator_.stats().raw_allocations, 0u);
}

TEST_F(Allocator, ReusesABlockOfTheSameClass) {
  void* first = allocator_.allocate(1000);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(first) % 64, 0u);
  allocator_.release(first, 1000);
  void* second = allocator_.allocate(1001);
  EXPECT_EQ(second, first);
  EXPECT_EQ(allocator_.stats().raw_allocations, 1u);
  void* third = allocator_.allocate(1000);
  EXPECT_NE(third, second);
  EXPECT_EQ(allocator_.stats().raw_allocations, 2u);
  allocator_.release(second, 1001);
  allocator_.release(third, 1000);
}

TEST_F(Allocator, FiguresFollowLiveCachedAndPeak) {
  void* a = allocator_.allocate(64);
  void* b = allocator_.allocate(128);
  EXPECT_EQ(allocator_.stats().live_bytes, 192u);
  allocator_.release(a, 64);
  EXPECT_EQ(allocator_.stats().live_bytes, 128u);
  EXPECT_EQ(allocator_.stats().cached_bytes, 64u);
  EXPECT_EQ(allocator_.stats().peak_bytes, 192u);
  allocator_.reset_peak();
  EXPECT_EQ(allocator_.stats().peak_bytes, 128u);
  allocator_.trim();
  EXPECT_EQ(allocator_.stats().cached_bytes, 0u);
  allocator_.release(b, 128);
  EXPECT_EQ(allocator_.stats().live_bytes, 0u);
}

TEST_F(Allocator, TheLimitCountsWhatIsCachedAndTrimsBeforeItRefuses) {
  allocator_.set_limit(1024);
  void* a = allocator_.allocate(512);
  allocator_.release(a, 512);
  void* b = allocator_.allocate(1024);  // fits only once the cached 512 bytes are given back
  EXPECT_EQ(allocator_.stats().cached_bytes, 0u);
  expect_error(ErrorKind::device, "out of memory on cpu: asked for 64 bytes, 1024 bytes live, limit 1024",
               [&] { allocator_.allocate(1); });
  EXPECT_EQ(allocator_.stats().live_bytes, 1024u);
  allocator_.release(b, 1024);
  allocator_.set_limit(0);
  allocator_.release(allocator_.allocate(1 << 20), 1 << 20);
}

TEST_F(Allocator, ARequestBeyondTheMachineIsAnError) {
  expect_error(ErrorKind::device, "out of memory on cpu", [&] { allocator_.allocate(size_t{1} << 60); });
  EXPECT_EQ(allocator_.stats().live_bytes, 0u);
}

TEST_F(Allocator, ThreadsShareIt) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 1; i < 2000; ++i) allocator_.release(allocator_.allocate(i), i);
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(allocator_.stats().live_bytes, 0u);
}

TEST(AllocatorOfTensors, ASteadyStateMakesNoRawAllocation) {
  const auto step = [] {
    const Tensor a = Tensor::zeros({100, 784}), b = Tensor::empty({500}, DType::f64);
    return a.clone().slice(0, 10);
  };
  step();
  const AllocatorStats before = allocator(kCpu).stats();
  for (int i = 0; i < 50; ++i) step();
  const AllocatorStats after = allocator(kCpu).stats();
  EXPECT_EQ(after.raw_allocations, before.raw_allocations);
  EXPECT_EQ(after.live_bytes, before.live_bytes);
}

}  // namespace
}  // namespace vae
