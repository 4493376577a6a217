// What evaluations share, against numbers worked out by hand: means over images of batches of unequal size,
// means of weights, draws of classes, active units.
#include "nn/eval/estimate.h"

#include <gtest/gtest.h>

#include <cmath>

#include "nn/train/image_set.h"
#include "tests/numeric.h"

namespace vae::eval {
namespace {

const double kInf = INFINITY;

TEST(Batches, CoverAllItemsOnceInOrder) {
  std::vector<std::vector<int64_t>> seen;
  for_batches(
      train::item_range(10, 17, kCpu),
      [&](int64_t number, const Tensor& batch) {
        EXPECT_EQ(number, std::ssize(seen));
        seen.push_back(batch.to_vector<int64_t>());
      },
      3);
  EXPECT_EQ(seen, (std::vector<std::vector<int64_t>>{{10, 11, 12}, {13, 14, 15}, {16}}));
}

// 5 items in batches of 3 and 2: a mean of the batches' means would be 15 and 1.5.
TEST(Batches, MeansAreOverItems) {
  const Tensor items = train::item_range(0, 5, kCpu);
  EXPECT_DOUBLE_EQ(mean_loss(items, 3, [](int64_t number, const Tensor&) { return number ? 20.0 : 10.0; }),
                   14);
  const double nll = importance_nll(items, 3, [](int64_t number, const Tensor& part, LogMean& estimate) {
    estimate.add(std::vector<double>(static_cast<size_t>(part.numel()), number ? -2 : -1));
  });
  EXPECT_DOUBLE_EQ(nll, 1.4);
  EXPECT_EQ(mean_loss(items.slice(0, 0), 3, [](int64_t, const Tensor&) { return 1.0; }), 0);
}

TEST(LogMean, IsTheLogarithmOfTheMeanOfWeights) {
  LogMean estimate(3);
  estimate.add({std::log(2), 1000, -kInf});
  EXPECT_DOUBLE_EQ(estimate.get(0), std::log(2)) << "one draw is itself";
  estimate.add({std::log(6), 1000 + std::log(3), -5000});
  estimate.add({std::log(1), 1000 + std::log(8), -kInf});
  EXPECT_DOUBLE_EQ(estimate.get(0), std::log(3));
  EXPECT_DOUBLE_EQ(estimate.get(1), 1000 + std::log(4)) << "weights beyond the range of a double";
  EXPECT_DOUBLE_EQ(estimate.get(2), -5000 - std::log(3)) << "weights of zero count as draws";
  EXPECT_DOUBLE_EQ(estimate.sum(), estimate.get(0) + estimate.get(1) + estimate.get(2));
}

TEST(Accuracy, IsTheShareOfEqualEntries) {
  EXPECT_DOUBLE_EQ(accuracy({1, 2, 0, 2, 1}, {1, 0, 0, 1, 1}), 0.6);
  EXPECT_EQ(accuracy({}, {}), 0);
}

TEST(MostProbable, IsTheFirstOfEqual) {
  const Tensor p = test::tensor_of({1, 3, 3, 0, 0, 0, -1, -2, -1, 0, 5, 4}, {4, 3}, DType::f32);
  EXPECT_EQ(train::most_probable(p).to_vector<int64_t>(), (std::vector<int64_t>{1, 0, 0, 1}));
}

TEST(SampleClasses, FollowTheProbabilitiesOfTheirRows) {
  constexpr int64_t kRows = 30000;
  const std::vector<double> rows[] = {{0.1, 0.6, 0.3}, {0, 0, 1}, {0.5, 0, 0.5}};
  std::vector<double> p;
  for (int64_t r = 0; r < kRows; ++r) p.insert(p.end(), rows[r % 3].begin(), rows[r % 3].end());
  const auto drawn = sample_classes(test::tensor_of(p, {kRows, 3}, DType::f32), {5, 6}).to_vector<int64_t>();
  double share[3][3] = {};
  for (int64_t r = 0; r < kRows; ++r) share[r % 3][drawn[static_cast<size_t>(r)]] += 3.0 / kRows;
  for (int r = 0; r < 3; ++r)
    for (int c = 0; c < 3; ++c)
      EXPECT_NEAR(share[r][c], rows[r][static_cast<size_t>(c)], 0.025) << r << c;  // five deviations
  EXPECT_EQ(share[2][1], 0);
}

// Variances of 0.0144, 0.0064, 0, 0.01005 and 0.00995 about large means, in batches of unequal size.
TEST(ActiveUnits, VaryOverAllImagesByMoreThanTheThreshold) {
  const double variances[] = {0.0144, 0.0064, 0, 0.01005, 0.00995};
  ActiveUnits units;
  const auto row = [&](double sign) {
    std::vector<double> means;
    for (const double v : variances) means.push_back(3 + sign * std::sqrt(v));
    return means;
  };
  // 5 rows on one side and 5 on the other: 4 + 1, then 1 + 4.
  for (const auto& [above, below] : {std::pair{4, 1}, {1, 3}, {0, 1}}) {
    std::vector<double> rows;
    for (int i = 0; i < above + below; ++i) {
      const auto next = row(i < above ? 1 : -1);
      rows.insert(rows.end(), next.begin(), next.end());
    }
    units.add(test::tensor_of(rows, {above + below, 5}, DType::f64));
  }
  EXPECT_EQ(units.all(), 5u);
  EXPECT_EQ(units.active(), 2u);
}

}  // namespace
}  // namespace vae::eval
