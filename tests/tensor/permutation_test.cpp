#include "tensor/permutation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "tests/expect_error.h"

namespace vae {
namespace {

constexpr RandomKey kKey = RandomKey::named(1, "batch/test");

std::vector<int64_t> draw(int64_t n, int64_t batch, uint64_t step, RandomKey key = kKey) {
  const IndexPermutation permutation(n);
  std::vector<int64_t> out(static_cast<size_t>(batch));
  for (int64_t i = 0; i < batch; ++i) out[i] = permutation(key, step, i);
  return out;
}

/// Chi-square per degree of freedom, in standard deviations from its expectation 1.
double excess(const std::vector<int64_t>& counts) {
  double total = 0, chi2 = 0;
  for (const int64_t c : counts) total += static_cast<double>(c);
  const double expected = total / static_cast<double>(counts.size());
  for (const int64_t c : counts) chi2 += (c - expected) * (c - expected) / expected;
  const double freedom = static_cast<double>(counts.size() - 1);
  return (chi2 - freedom) / std::sqrt(2 * freedom);
}

TEST(Permutation, IsAPermutationForEveryN) {
  for (int64_t n = 1; n <= 300; ++n) {
    auto all = draw(n, n, static_cast<uint64_t>(n));
    std::sort(all.begin(), all.end());
    for (int64_t i = 0; i < n; ++i) ASSERT_EQ(all[i], i) << "n " << n;
  }
}

TEST(Permutation, BatchesAreDistinctAndInRange) {
  for (const int64_t n : {100, 101, 49900, 60000})
    for (uint64_t step = 0; step < 50; ++step) {
      const auto batch = draw(n, 100, step);
      const std::set<int64_t> distinct(batch.begin(), batch.end());
      ASSERT_EQ(distinct.size(), 100u);
      ASSERT_GE(*distinct.begin(), 0);
      ASSERT_LT(*distinct.rbegin(), n);
    }
}

TEST(Permutation, IsAPureFunctionOfKeyAndStep) {
  EXPECT_EQ(draw(1000, 50, 7), draw(1000, 50, 7));
  EXPECT_NE(draw(1000, 50, 7), draw(1000, 50, 8));
  EXPECT_NE(draw(1000, 50, 7), draw(1000, 50, 7, RandomKey::named(2, "batch/test")));
  EXPECT_NE(draw(1000, 50, 7), draw(1000, 50, 7, RandomKey::named(1, "batch/other")));
  const auto longer = draw(1000, 60, 7);
  EXPECT_EQ(draw(1000, 50, 7), std::vector<int64_t>(longer.begin(), longer.begin() + 50));
}

/// The sequence that runs rely on to resume; computed once, fixed for good.
TEST(Permutation, KnownAnswer) {
  EXPECT_EQ(draw(60000, 6, 0, RandomKey::named(1, "batch/known")),
            (std::vector<int64_t>{10312, 52099, 22240, 55709, 34232, 21915}));
}

TEST(Permutation, EachIndexIsEquallyLikely) {
  for (const int64_t n : {2, 3, 7, 10, 100, 997}) {
    std::vector<int64_t> first(n), any(n);
    const int64_t batch = std::max<int64_t>(n / 3, 1);
    for (uint64_t step = 0; step < 40000; ++step) {
      const auto indices = draw(n, batch, step);
      ++first[indices[0]];
      for (const int64_t i : indices) ++any[i];
    }
    EXPECT_LT(std::abs(excess(first)), 4) << n;
    EXPECT_LT(excess(any), 4) << n;  // without replacement: less spread than independent draws
  }
}

TEST(Permutation, EachOrderOfAFewIsEquallyLikely) {
  for (const auto& [n, orders] :
       {std::pair(2, 2), std::pair(3, 6), std::pair(4, 24), std::pair(5, 120), std::pair(6, 720)}) {
    std::map<std::vector<int64_t>, int64_t> seen;
    for (uint64_t step = 0; step < 100000; ++step) ++seen[draw(n, n, step)];
    ASSERT_EQ(seen.size(), static_cast<size_t>(orders));
    std::vector<int64_t> counts;
    for (const auto& [order, count] : seen) counts.push_back(count);
    EXPECT_LT(std::abs(excess(counts)), 4) << n;
  }
}

TEST(Permutation, NeighbouringPlacesAndStepsAreIndependent) {
  const int64_t n = 40;
  std::vector<int64_t> places(n * n), steps(n * n);
  int64_t before = draw(n, 2, 0)[0];
  for (uint64_t step = 1; step < 200000; ++step) {
    const auto pair = draw(n, 2, step);
    ++places[pair[0] * n + pair[1]];
    ++steps[before * n + pair[0]];
    before = pair[0];
  }
  for (int64_t i = n - 1; i >= 0; --i) {
    EXPECT_EQ(places[i * n + i], 0);
    places.erase(places.begin() + i * n + i);
  }
  EXPECT_LT(std::abs(excess(places)), 4);
  EXPECT_LT(std::abs(excess(steps)), 4);
}

TEST(Permutation, EdgeSizes) {
  EXPECT_EQ(draw(1, 1, 123), std::vector<int64_t>{0});
  EXPECT_TRUE(draw(10, 0, 0).empty());
  const IndexPermutation huge(int64_t{1} << 62);
  std::set<int64_t> values;
  for (int64_t i = 0; i < 1000; ++i) values.insert(huge(kKey, 0, i));
  EXPECT_EQ(values.size(), 1000u);
  EXPECT_GT(*values.rbegin(), int64_t{1} << 61);
}

TEST(Permutation, RefusesAnEmptySet) {
  test::expect_error(ErrorKind::internal, "a permutation of 0 items", [] { IndexPermutation(0); });
}

}  // namespace
}  // namespace vae
