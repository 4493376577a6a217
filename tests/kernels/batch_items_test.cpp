// Batches of items against a loop over the permutation, in the orders that the models use, and in shares.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "tensor/permutation.h"
#include "tests/numeric.h"

namespace vae::kernels {
namespace {

constexpr RandomKey kKey = RandomKey::named(5, "test");
using Items = std::vector<int64_t>;

Items pool_of(int64_t size) {
  Items pool;
  for (int64_t i = 0; i < size; ++i) pool.push_back(1000 + 3 * i);
  return pool;
}

/// Items [first, first + n) of a batch.
Items drawn(const Items& pool, int64_t n, int64_t step, Order order, Device device) {
  const Tensor y = Tensor::empty({n}, DType::i64, device);
  batch_items(Tensor::from(pool, {static_cast<int64_t>(pool.size())}, device), y, kKey,
              Tensor::scalar(step, device), order);
  return y.to_vector<int64_t>();
}

/// Positions [begin, begin + n) of a permutation that begins again at its end.
Items from_permutation(const Items& pool, uint64_t number, int64_t begin, int64_t n) {
  const auto size = static_cast<int64_t>(pool.size());
  const IndexPermutation permutation(size);
  Items items;
  for (int64_t i = begin; i < begin + n; ++i)
    items.push_back(pool[static_cast<size_t>(permutation(kKey, number, i % size))]);
  return items;
}

/// Calls body(pool, device) for pools of assorted sizes.
template <class Body>
void for_pools(const Body& body) {
  for (const Device device : test::devices())
    for (const int64_t size : {1, 31, 33, 100, 257, 1000}) body(pool_of(size), device);
}

TEST(Naive, batch_items) {
  for_pools([](const Items& pool, Device device) {
    const auto size = static_cast<int64_t>(pool.size());
    for (const int64_t n : {int64_t{0}, int64_t{1}, size / 2, size})
      for (const int64_t step : {0, 3}) {
        const Items items = drawn(pool, n, step, {}, device);
        EXPECT_EQ(items, from_permutation(pool, static_cast<uint64_t>(step), 0, n));
        EXPECT_EQ(std::set<int64_t>(items.begin(), items.end()).size(), items.size()) << "an item twice";
      }
  });
}

// A pass over the pool meets every item of whole batches once; passes differ, or all are the first.
TEST(BatchItems, PassesOfWholeBatches) {
  for_pools([](const Items& pool, Device device) {
    const auto size = static_cast<int64_t>(pool.size());
    for (const bool reshuffle : {false, true})
      for (const int64_t batch : {int64_t{1}, size / 3 + 1, size}) {
        const int64_t batches = size / batch;
        for (int64_t step = 0; step < std::min<int64_t>(3 * batches, 20); ++step)
          EXPECT_EQ(drawn(pool, batch, step, {.period = batches, .reshuffle = reshuffle}, device),
                    from_permutation(pool, reshuffle ? static_cast<uint64_t>(step / batches) : 0,
                                     step % batches * batch, batch))
              << "step " << step << " of batches of " << batch;
      }
  });
}

// An epoch is a number of steps, whatever the size of the pool, which begins again as often as it takes.
TEST(BatchItems, EpochsLongerThanThePool) {
  for_pools([](const Items& pool, Device device) {
    const auto size = static_cast<int64_t>(pool.size());
    constexpr int64_t kSteps = 9;
    for (const int64_t batch : {int64_t{1}, size / 2 + 1, size})
      for (int64_t step = 0; step < 3 * kSteps; ++step)
        EXPECT_EQ(drawn(pool, batch, step, {.period = kSteps}, device),
                  from_permutation(pool, static_cast<uint64_t>(step / kSteps), step % kSteps * batch, batch))
            << "step " << step << " of batches of " << batch;
  });
}

/// What the pool looks like to windows in a step.
Items order_of_windows(const Items& pool, int64_t step, const Order& order) {
  const int64_t which = (step + 1) / order.period;
  if (which == 0) return pool;
  return from_permutation(pool, order.reshuffle ? static_cast<uint64_t>(which) : 0, 0, std::ssize(pool));
}

TEST(BatchItems, WindowsOfThePoolAsItStandsAndOfPermutations) {
  for_pools([](const Items& pool, Device device) {
    const auto size = static_cast<int64_t>(pool.size());
    for (const bool reshuffle : {false, true})
      for (const int64_t batch : {int64_t{1}, size / 3 + 1, size})
        for (int64_t step = 0; step < 15; ++step) {
          const Order order{.period = 5, .reshuffle = reshuffle, .windows = true};
          const Items items = drawn(pool, batch, step, order, device),
                      all = order_of_windows(pool, step, order);
          const auto begin = std::find(all.begin(), all.end(), items[0]) - all.begin();
          EXPECT_LT(begin, std::max<int64_t>(size - batch, 1)) << "the last item is left out";
          ASSERT_LE(begin + batch, size);
          EXPECT_EQ(items, Items(all.begin() + begin, all.begin() + begin + batch))
              << "step " << step << " of batches of " << batch;
        }
  });
}

// Each beginning of the five has its share of 2000 windows, within five standard deviations.
TEST(BatchItems, WindowsBeginAnywhere) {
  constexpr int64_t kBatch = 28, kStarts = 5, kSteps = 2000;
  const Items pool = pool_of(kBatch + kStarts);
  const Order order{.period = 3, .windows = true};
  std::vector<double> counts(kStarts);
  double repeated = 0;
  int64_t before = -1;
  for (int64_t step = 0; step < kSteps; ++step) {
    const Items all = order_of_windows(pool, step, order);
    const auto begin =
        std::find(all.begin(), all.end(), drawn(pool, kBatch, step, order, kCpu)[0]) - all.begin();
    ++counts.at(static_cast<size_t>(begin));
    repeated += begin == before;
    before = begin;
  }
  const double expected = kSteps / 5.0, tolerance = 5 * std::sqrt(kSteps * 0.2 * 0.8);
  for (const double count : counts) EXPECT_NEAR(count, expected, tolerance);
  EXPECT_NEAR(repeated, expected, tolerance) << "a window knows nothing of the one before";
}

TEST(BatchItems, SharesAddUpToTheBatch) {
  for_pools([](const Items& pool, Device device) {
    const auto size = static_cast<int64_t>(pool.size());
    for (const Order& order : {Order{}, Order{.period = 7}, Order{.period = 7, .reshuffle = false},
                               Order{.period = 7, .windows = true}})
      for (const int64_t step : {0, 5, 16})
        for (const int64_t ranks : {1, 2, 5}) {
          Items together;
          Order share = order;
          share.batch = size / 2 + 1;
          for (int64_t rank = 0; rank < ranks; ++rank) {
            share.first = share.batch * rank / ranks;
            const Items own =
                drawn(pool, share.batch * (rank + 1) / ranks - share.first, step, share, device);
            together.insert(together.end(), own.begin(), own.end());
          }
          EXPECT_EQ(together, drawn(pool, share.batch, step, order, device)) << ranks << " ranks";
        }
  });
}

}  // namespace
}  // namespace vae::kernels
