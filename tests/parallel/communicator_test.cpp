// What the communicator promises, between ranks.
#include <gtest/gtest.h>

#include <numeric>

#include "autograd/collective.h"
#include "autograd/ops.h"
#include "autograd/tape.h"
#include "tensor/compare.h"
#include "tensor/graph.h"
#include "tests/parallel/ranks.h"

namespace vae {
namespace {

using test::world;

/// 1 + 2 + ... over the ranks.
double sum_of_ranks() { return world().size() * (world().size() + 1) / 2.0; }

template <class T>
Tensor three(T value) {
  return Tensor::from(std::vector<T>{value, static_cast<T>(2 * value), 0}, {3});
}

template <class T>
void expect_sum() {
  const Tensor x = three<T>(static_cast<T>(world().rank() + 1));
  world().all_reduce(x);
  EXPECT_EQ(to_doubles(x), (std::vector<double>{sum_of_ranks(), 2 * sum_of_ranks(), 0}));
}

TEST(Communicator, SumsOverTheRanks) {
  expect_sum<float>(), expect_sum<double>(), expect_sum<int64_t>();
  const Tensor none = Tensor::empty({0});
  world().all_reduce(none);
}

// Sums in some order of the ranks, but the same on all: else their parameters drift apart.
TEST(Communicator, GivesAllRanksTheSameBits) {
  for (const int64_t n : {7, 1000, 100'000}) {
    std::vector<float> values(static_cast<size_t>(n));
    for (int64_t i = 0; i < n; ++i)
      values[i] = 1.0f / static_cast<float>(1 + (i * 7 + world().rank() * 13) % 97);
    const Tensor x = Tensor::from(values, {n});
    world().all_reduce(x);
    const Tensor of_first = x.clone();
    world().broadcast(of_first, 0);
    EXPECT_TRUE(same_bits(x, of_first)) << n;
  }
}

TEST(Communicator, GathersRowsInOrder) {
  const int64_t own = world().rank() % 3, size = world().size();  // 0, 1, 2, 0, ... rows
  std::vector<int64_t> rows;
  std::vector<double> expected;
  for (int64_t r = 0; r < size; ++r) {
    rows.push_back(r % 3);
    expected.insert(expected.end(), static_cast<size_t>(2 * rows.back()), static_cast<double>(r));
  }
  const Tensor mine = Tensor::from(
      std::vector<float>(static_cast<size_t>(2 * own), static_cast<float>(world().rank())), {own, 2});
  const Tensor all = Tensor::empty({std::accumulate(rows.begin(), rows.end(), int64_t{0}), 2});
  world().all_gather(mine, all, rows);
  EXPECT_EQ(to_doubles(all), expected);
  const Tensor each = Tensor::empty({size}, DType::i64);
  world().all_gather(Tensor::from(std::vector<int64_t>{world().rank()}, {1}), each);
  std::vector<int64_t> ranks(static_cast<size_t>(size));
  std::iota(ranks.begin(), ranks.end(), 0);
  EXPECT_EQ(each.to_vector<int64_t>(), ranks);
}

TEST(Communicator, BroadcastsFromAnyRank) {
  for (int root = 0; root < world().size(); ++root) {
    const Tensor x = three<double>(world().rank());
    world().broadcast(x, root);
    EXPECT_EQ(to_doubles(x), to_doubles(three<double>(root)));
  }
}

TEST(Communicator, ReducesBesideOtherWork) {
  std::vector<Tensor> buckets;
  for (int i = 1; i <= 5; ++i) {
    buckets.push_back(three<float>(static_cast<float>(i * (world().rank() + 1))));
    world().start(buckets.back());
  }
  world().finish();
  for (int i = 1; i <= 5; ++i) EXPECT_EQ(to_doubles(buckets[i - 1])[0], i * sum_of_ranks());
  world().finish();  // of nothing
}

/// i, 2 i, ... of rank i - 1, in a type that holds all sums exactly.
template <class T>
Tensor multiples(int64_t n) {
  std::vector<T> values(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) values[i] = static_cast<T>((world().rank() + 1) * i);
  return Tensor::from(values, {n});
}

// Those that are added up in pieces, of sizes that the ranks do not divide.
TEST(Communicator, SumsLargeTensorsBesideSmallOnes) {
  const std::vector<Tensor> large{multiples<float>(100'003), multiples<double>(70'001),
                                  multiples<int64_t>(65'537), multiples<float>(300'017)};
  for (const Tensor& x : large) {
    world().start(x);
    const Tensor small = three<double>(world().rank() + 1);
    world().all_reduce(small);
    EXPECT_EQ(to_doubles(small)[0], sum_of_ranks());
  }
  world().finish();
  for (const Tensor& x : large) {
    const std::vector<double> sums = to_doubles(x);
    int64_t wrong = 0;
    for (int64_t i = 0; i < x.numel(); ++i) wrong += sums[i] != static_cast<double>(i) * sum_of_ranks();
    EXPECT_EQ(wrong, 0) << x.str();
  }
}

TEST(Communicator, KnowsWhetherAny) {
  EXPECT_FALSE(world().any(false));
  EXPECT_TRUE(world().any(world().rank() == world().size() - 1));
  world().barrier();
}

TEST(Communicator, WaitsForTheWorkOfTheFirst) {
  const Tensor done = Tensor::scalar(0.0);
  int calls = 0;
  for (int i = 0; i < 3; ++i)
    world().on_first([&] {
      EXPECT_TRUE(parallel::current().alone());
      ++calls;
    });
  EXPECT_EQ(calls, world().first() ? 3 : 0);
  world().broadcast(done);
}

// In a recorded step a sum is done when the step is replayed.
TEST(Communicator, TakesPartInRecordedSteps) {
  const Tensor x = Tensor::scalar(1.0), total = Tensor::scalar(0.0);
  StepGraph graph(kCpu, GraphMode::on);
  for (int i = 0; i < 5; ++i)
    graph.run([&] {
      total.copy_from(x);
      world().start(total);
      world().finish();
      kernels::sum(total, x, kernels::Axis::all(1), 1.0, kernels::Write::set);
    });
  EXPECT_EQ(x.item(), std::pow(world().size(), 5));
}

// f = (sum of x over the ranks)^2 as a whole, of which each rank gives its part.
TEST(AllSum, HasTheGradientOfTheWhole) {
  const parallel::Scope scope(world());
  const autograd::Var x(Tensor::scalar(world().rank() + 1.0), true);
  autograd::Tape tape;
  const autograd::Var loss = (1.0 / world().size()) * autograd::square(autograd::all_sum(x));
  tape.backward(loss);
  EXPECT_DOUBLE_EQ(world().size() * loss.value().item(), sum_of_ranks() * sum_of_ranks());
  EXPECT_DOUBLE_EQ(x.grad().item(), 2 * sum_of_ranks());
}

}  // namespace
}  // namespace vae
