// Projections on principal axes of points whose axes are known.
#include "nn/eval/principal_axes.h"

#include <gtest/gtest.h>

#include "tests/numeric.h"

namespace vae::eval {
namespace {

// Four points along (3, 4, 0) / 5 and four along (4, -3, 0) / 5 about (5, -1, 7).
TEST(PrincipalAxes, AreThoseOfTheCloud) {
  const double along[][2] = {{10, 0}, {-10, 0}, {5, 0}, {-5, 0}, {0, 5}, {0, -5}, {0, 1}, {0, -1}};
  std::vector<double> cloud;
  for (const auto& [first, second] : along)
    cloud.insert(cloud.end(), {5 + 0.6 * first + 0.8 * second, -1 + 0.8 * first - 0.6 * second, 7});
  const auto points = on_principal_axes(test::tensor_of(cloud, {8, 3}, DType::f64));
  ASSERT_EQ(points.size(), 8u);
  for (size_t i = 0; i < 8; ++i) {
    EXPECT_NEAR(points[i][0], along[i][0], 1e-9);  // (3, 4): its largest component is positive
    EXPECT_NEAR(points[i][1], along[i][1], 1e-9);
  }
}

TEST(PrincipalAxes, OfOneColumnAndOfEqualPoints) {
  const auto line = on_principal_axes(test::tensor_of({1, 2, 6}, {3, 1}, DType::f64));
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(line[i][0], std::vector<double>({-2, -1, 3})[i], 1e-12);
    EXPECT_EQ(line[i][1], 0);
  }
  for (const auto& point :
       on_principal_axes(test::tensor_of(std::vector<double>(8, 2.0), {4, 2}, DType::f64)))
    EXPECT_EQ(point[0], 0);
}

}  // namespace
}  // namespace vae::eval
