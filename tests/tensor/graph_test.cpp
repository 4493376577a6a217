// Recording and replaying steps, with copies between tensors as the work.
#include "tensor/graph.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tensor/tensor.h"
#include "tests/expect_error.h"

namespace vae {
namespace {

using test::expect_error;

/// y = x through a temporary, counting the calls.
struct Step {
  Tensor x = Tensor::from(std::vector<float>(100, 1), {100}), y = Tensor::zeros({100});
  int calls = 0;
  const void* temporary = nullptr;

  void operator()() {
    ++calls;
    const Tensor t = x.clone();
    temporary = t.raw();
    y.copy_from(t);
  }
  void set(float value) const { x.copy_from(Tensor::from(std::vector<float>(100, value), {100})); }
  float get() const { return y.to_vector<float>()[0]; }
};

TEST(StepGraph, ReplaysOnWhatTensorsHoldNow) {
  Step step;
  StepGraph graph(kCpu, GraphMode::on);
  for (int i = 1; i <= 6; ++i) {
    step.set(static_cast<float>(i));
    graph.run([&] { step(); });
    EXPECT_EQ(step.get(), static_cast<float>(i)) << "step " << i;
    EXPECT_EQ(step.calls, std::min(i, StepGraph::kWarmUp + 1)) << "once more than warming up, to record";
  }
}

TEST(StepGraph, IsAPlainCallWhenOff) {
  for (const GraphMode mode : {GraphMode::off, GraphMode::automatic}) {
    Step step;
    StepGraph graph(kCpu, mode);
    EXPECT_FALSE(graph.enabled());
    for (int i = 1; i <= 6; ++i) graph.run([&] { step(); });
    EXPECT_EQ(step.calls, 6);
  }
}

TEST(StepGraph, RecordsAnewForAnotherKey) {
  const Tensor x = Tensor::from(std::vector<float>{1, 2, 3, 4}, {4}), y = Tensor::zeros({4});
  StepGraph graph(kCpu, GraphMode::on);
  int calls = 0;
  for (const int64_t rows : {2, 2, 2, 2, 4, 4, 4, 4, 2, 4}) {
    y.zero();
    graph.run([&, rows] { ++calls, y.slice(0, rows).copy_from(x.slice(0, rows)); }, {rows});
    EXPECT_EQ(y.to_vector<float>(), (std::vector<float>{1, 2, rows == 4 ? 3.f : 0.f, rows == 4 ? 4.f : 0.f}));
  }
  EXPECT_EQ(calls, 2 * (StepGraph::kWarmUp + 1));
}

TEST(StepGraph, NobodyElseGetsTheTemporariesOfARecording) {
  Step step;
  auto graph = std::make_unique<StepGraph>(kCpu, GraphMode::on);
  for (int i = 0; i < 4; ++i) graph->run([&] { step(); });
  step.set(7);
  std::vector<Tensor> others;
  for (int i = 0; i < 20; ++i) {
    others.push_back(Tensor::from(std::vector<float>(100, 5), {100}));
    EXPECT_NE(others.back().raw(), step.temporary);
  }
  graph->run([&] { step(); });
  EXPECT_EQ(step.get(), 7);
  for (const Tensor& other : others) EXPECT_EQ(other.to_vector<float>()[0], 5);
}

TEST(StepGraph, RefusesCopiesBetweenHostAndDevice) {
  Step step;
  const std::function<void()> bad[] = {[&] { step.y.to_vector<float>(); }, [&] { step.y.slice(0, 1).item(); },
                                       [&] { Tensor::scalar(1.0f); }};
  for (const auto& work : bad) {
    StepGraph graph(kCpu, GraphMode::on);
    for (int i = 0; i < StepGraph::kWarmUp; ++i) graph.run(work);
    expect_error(ErrorKind::device, "a recorded step copies between the host and a tensor on cpu",
                 [&] { graph.run(work); });
    step.set(3);  // nothing is recording any more
    step();
    EXPECT_EQ(step.get(), 3);
  }
}

TEST(MemoryPool, KeepsItsBlocksUntilItGoes) {
  CachingAllocator allocator(kCpu);
  void* cached = allocator.allocate(1000);
  allocator.release(cached, 1000);
  {
    MemoryPool pool(allocator);
    {
      const MemoryPool::Scope scope(pool);
      EXPECT_EQ(allocator.allocate(1000), cached) << "taken over from the cache";
      allocator.release(cached, 1000);
      EXPECT_EQ(allocator.allocate(1000), cached) << "used again inside the scope";
      allocator.release(cached, 1000);
      allocator.trim();
      EXPECT_EQ(allocator.stats().cached_bytes, CachingAllocator::round_up(1000))
          << "nothing is given back now";
      expect_error(ErrorKind::internal, "being recorded already", [&] { MemoryPool::Scope second(pool); });
    }
    void* other = allocator.allocate(1000);
    EXPECT_NE(other, cached);
    allocator.release(other, 1000);
    allocator.trim();
    EXPECT_EQ(allocator.stats().cached_bytes, CachingAllocator::round_up(1000)) << "the pool's block stays";
  }
  EXPECT_EQ(allocator.allocate(1000), cached) << "free for all again";
  allocator.release(cached, 1000);
  allocator.trim();
  EXPECT_EQ(allocator.stats().cached_bytes, 0u);
}

TEST(MemoryPool, ABlockThatOutlivesThePoolReturnsToTheCache) {
  CachingAllocator allocator(kCpu);
  void* block = nullptr;
  {
    MemoryPool pool(allocator);
    const MemoryPool::Scope scope(pool);
    block = allocator.allocate(64);
  }
  allocator.release(block, 64);
  EXPECT_EQ(allocator.allocate(64), block);
  allocator.release(block, 64);
  allocator.trim();
}

TEST(GraphMode, Names) {
  EXPECT_EQ(parse_graph_mode("auto"), GraphMode::automatic);
  EXPECT_EQ(parse_graph_mode("on"), GraphMode::on);
  EXPECT_EQ(parse_graph_mode("off"), GraphMode::off);
  expect_error(ErrorKind::usage, "'yes'", [] { parse_graph_mode("yes"); });
}

}  // namespace
}  // namespace vae
