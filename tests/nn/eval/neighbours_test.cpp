// Precision, recall, density and coverage against plain loops, and where they are known.
#include "nn/eval/neighbours.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/expect_error.h"
#include "tests/numeric.h"

namespace vae::eval {
namespace {

double distance_of(const Tensor& x, int64_t i, const Tensor& y, int64_t j) {
  const std::vector<double> a = to_doubles(x.slice(i, i + 1)), b = to_doubles(y.slice(j, j + 1));
  double squares = 0;
  for (size_t d = 0; d < a.size(); ++d) squares += (a[d] - b[d]) * (a[d] - b[d]);
  return std::sqrt(squares);
}

double radius(const Tensor& x, int64_t i, int64_t k) {
  std::vector<double> others;
  for (int64_t j = 0; j < x.size(0); ++j)
    if (j != i) others.push_back(distance_of(x, i, x, j));
  std::sort(others.begin(), others.end());
  return others[k - 1];
}

/// In how many of the balls about rows of x a row lies.
int64_t balls_about(const Tensor& row, const Tensor& x, const std::vector<double>& radii) {
  int64_t count = 0;
  for (int64_t i = 0; i < x.size(0); ++i) count += distance_of(row, 0, x, i) <= radii[i];
  return count;
}

TEST(Neighbours, AreThoseOfPlainLoops) {
  for (const NeighbourSettings k :
       {NeighbourSettings{}, {.precision = 1, .density = 2}, {.precision = 4, .density = 2}}) {
    const Tensor real = test::sample_tensor({40, 3}, DType::f64, kCpu, -1, 1, 1),
                 fake = test::sample_tensor({30, 3}, DType::f64, kCpu, -0.4, 1.6, 2);
    std::vector<double> narrow, wide, of_fake;
    for (int64_t i = 0; i < 40; ++i)
      narrow.push_back(radius(real, i, k.precision)), wide.push_back(radius(real, i, k.density));
    for (int64_t j = 0; j < 30; ++j) of_fake.push_back(radius(fake, j, k.precision));
    double precision = 0, recall = 0, density = 0, coverage = 0;
    for (int64_t j = 0; j < 30; ++j) {
      precision += balls_about(fake.slice(j, j + 1), real, narrow) > 0;
      density +=
          static_cast<double>(balls_about(fake.slice(j, j + 1), real, wide)) / static_cast<double>(k.density);
    }
    for (int64_t i = 0; i < 40; ++i) {
      recall += balls_about(real.slice(i, i + 1), fake, of_fake) > 0;
      bool covered = false;
      for (int64_t j = 0; j < 30; ++j) covered |= distance_of(real, i, fake, j) <= wide[i];
      coverage += covered;
    }
    const Neighbours found = neighbours(real, fake, k);
    EXPECT_NEAR(found.precision.value, precision / 30, 1e-12);
    EXPECT_NEAR(found.recall.value, recall / 40, 1e-12);
    EXPECT_NEAR(found.density.value, density / 30, 1e-12);
    EXPECT_NEAR(found.coverage.value, coverage / 40, 1e-12);
    EXPECT_GT(found.precision.value, 0.1);
    EXPECT_LT(found.precision.value, 0.9);  // so that the loops have something to tell
  }
}

// More rows than a block holds, and a last block so small that its products may be summed in another order.
TEST(Neighbours, OfASetAgainstItselfShuffled) {
  const int64_t n = 1027, d = 37;
  std::vector<double> values = test::sample(n * d, 50, 51), shuffled;
  for (double& v : values) v *= M_PI;  // so that products round
  for (int64_t i = 0; i < n; ++i) {
    const auto row = values.begin() + i * 7 % n * d;
    shuffled.insert(shuffled.end(), row, row + d);
  }
  const Neighbours found =
      neighbours(test::tensor_of(values, {n, d}, DType::f64), test::tensor_of(shuffled, {n, d}, DType::f64));
  EXPECT_EQ(found.precision.value, 1);
  EXPECT_EQ(found.recall.value, 1);
  EXPECT_EQ(found.coverage.value, 1);
  // Every ball holds its centre and five neighbours.
  EXPECT_NEAR(found.density.value, 6.0 / 5, 1e-12);
}

TEST(Neighbours, TellWhatIsWrongWithASet) {
  const Tensor real = test::sample_tensor({600, 2}, DType::f32, kCpu, 0, 1, 1);
  const Neighbours away = neighbours(real, test::sample_tensor({600, 2}, DType::f32, kCpu, 4, 5, 2));
  EXPECT_EQ(away.precision.value, 0);
  EXPECT_EQ(away.recall.value, 0);
  EXPECT_EQ(away.density.value, 0);
  EXPECT_EQ(away.coverage.value, 0);
  const Neighbours collapsed =
      neighbours(real, test::sample_tensor({600, 2}, DType::f32, kCpu, 0.45, 0.55, 2));
  EXPECT_GT(collapsed.precision.value, 0.95);
  EXPECT_LT(collapsed.recall.value, 0.1);
  EXPECT_LT(collapsed.coverage.value, 0.1);
}

// A lattice whose distances round, and a ring about it, one distance away.
TEST(Neighbours, RimsBelongToBalls) {
  std::vector<double> lattice, ring;
  for (int i = -1; i <= 10; ++i)
    for (int j = -1; j <= 10; ++j) {
      const bool within_i = i >= 0 && i < 10, within_j = j >= 0 && j < 10, inside = within_i && within_j;
      if (!within_i && !within_j) continue;  // a corner
      for (const int at : {i, j}) (inside ? lattice : ring).push_back(100 + at * 0.1 * M_PI);
    }
  const Neighbours found =
      neighbours(test::tensor_of(lattice, {100, 2}, DType::f64), test::tensor_of(ring, {40, 2}, DType::f64),
                 {.precision = 1, .density = 1});
  EXPECT_EQ(found.precision.value, 1);
  EXPECT_EQ(found.density.value, 1);
  EXPECT_NEAR(found.coverage.value, 0.36, 1e-12);
}

TEST(Neighbours, OfCopiesOfOneImage) {
  const Tensor x = test::tensor_of(std::vector<double>(20, 0.1), {10, 2}, DType::f32);
  const Neighbours found = neighbours(x, x);
  EXPECT_EQ(found.precision.value, 1);
  EXPECT_EQ(found.coverage.value, 1);
}

TEST(Neighbours, Refuse) {
  using test::expect_error;
  const Tensor x = test::sample_tensor({6, 2}, DType::f32);
  neighbours(x, x.slice(0, 4));
  expect_error(ErrorKind::data, "5 against 6 images", [&] { neighbours(x.slice(0, 5), x); });
  expect_error(ErrorKind::data, "6 against 3 images", [&] { neighbours(x, x.slice(0, 3)); });
  expect_error(ErrorKind::data, "width 2 against those of width 3", [&] {
    neighbours(x, test::sample_tensor({6, 3}, DType::f32));
  });
  expect_error(ErrorKind::data, "not finite", [&] {
    neighbours(x, test::tensor_of(std::vector<double>(12, NAN), {6, 2}, DType::f32));
  });
}

}  // namespace
}  // namespace vae::eval
