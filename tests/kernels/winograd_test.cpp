// The parts of Winograd's algorithms in both widths, whatever the processor has registers for; the
// convolutions made of them are in conv_test.cpp.
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "kernels/winograd_tiles.h"

namespace vae::kernels::cpu::winograd_test {

std::vector<float> numbers(int64_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> result(static_cast<size_t>(count));
  for (float& x : result) x = uniform(generator);
  return result;
}

using Product = void (*)(const PanelProduct&);

/// Largest error of a product of m x k and k x n numbers, a transposed or not, onto numbers or not.
double error_of(Product product, int64_t m, int64_t n, int64_t k, bool transposed, bool packed, bool add) {
  const auto a = numbers(m * k, 1), b = numbers(k * n, 2);
  auto c = numbers(m * (n + 3), 3);
  const auto before = c;
  const PanelProduct s{.m = m,
                       .n = n,
                       .k = k,
                       .a = a.data(),
                       .a_row = transposed ? 1 : k,
                       .a_step = transposed ? m : 1,
                       .b = b.data(),
                       .b_step = packed ? kPanel : n,
                       .b_panel = packed ? k * kPanel : kPanel,
                       .c = c.data(),
                       .c_row = n + 3,
                       .add = add};
  product(s);
  double worst = 0;
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n + 3; ++j) {
      const auto at = static_cast<size_t>(i * (n + 3) + j);
      double sum = j >= n || add ? static_cast<double>(before[at]) : 0;
      for (int64_t p = 0; p < k && j < n; ++p)
        sum +=
            static_cast<double>(a[static_cast<size_t>(i * s.a_row + p * s.a_step)]) *
            static_cast<double>(b[static_cast<size_t>(j / kPanel * s.b_panel + p * s.b_step + j % kPanel)]);
      worst = std::max(worst, std::abs(sum - static_cast<double>(c[at])));
    }
  return worst;
}

TEST(PanelProduct, EverySizeInBothWidths) {
  for (const Product product : {panel_product_of<8>, panel_product_of<16>})
    for (int64_t m = 1; m <= 37; ++m)
      for (const int64_t n : {16, 32, 48, 80})
        for (const int64_t k : {0, 1, 19})
          for (const bool transposed : {false, true})
            for (const bool packed : {false, true})
              for (const bool add : {false, true})
                ASSERT_LT(error_of(product, m, n, k, transposed, packed, add), 1e-5)
                    << m << " x " << n << " x " << k << (transposed ? ", transposed" : "")
                    << (packed ? ", in panels" : "") << (add ? ", added" : "");
}

/// What the four transforms make of images [2, 7, 9, 32] and kernels of 32 x 32 channels, one after the
/// other.
template <class A, int width>
std::vector<float> transformed() {
  using namespace winograd;
  constexpr int64_t channels = 32, side = A::patch, taps = A::kernel * A::kernel;
  Grid grid{.n = 2,
            .h = 7,
            .w = 9,
            .channels = channels,
            .rows = 2,
            .columns = 3,
            .tile = A::tile,
            .top = 1,
            .left = 2};
  const auto pixels = numbers(2 * 7 * 9 * channels, 4), weights = numbers(channels * taps * channels, 5);
  const int64_t plane = Points::plane_of(grid.tiles(), channels),
                kernel_plane = Points::plane_of(channels, channels);
  std::vector<float> points(static_cast<size_t>(side * side * plane)),
      gradients = points, kernels(static_cast<size_t>(side * side * kernel_plane)), back(pixels.size()),
      taps_back(weights.size());
  const Points of_images(points.data(), grid.tiles(), channels),
      of_gradients(gradients.data(), grid.tiles(), channels);
  const Span all{0, grid.tiles()};
  squares_to_points<A, typename A::Image, width>(grid, pixels.data(), all, of_images, 0);
  squares_to_points<A, typename A::ResultGradient, width>(grid, pixels.data(), all, of_gradients, 0);
  points_to_squares<A, width>(grid, of_images, 0, all, weights.data(), back.data());
  const Kernels layout{channels, channels, A::kernel * channels, channels, taps * channels, A::kernel, 2};
  kernels_to_points<A, width>(layout, weights.data(), true, {0, channels}, 0, channels, kernels.data());
  points_to_kernels<A, width>(layout, Points(kernels.data(), channels, channels), {0, channels},
                              taps_back.data());
  for (const auto& part : {gradients, kernels, back, taps_back})
    points.insert(points.end(), part.begin(), part.end());
  return points;
}

template <class A>
void expect_same_in_both_widths() {
  const auto narrow = transformed<A, 8>(), wide = transformed<A, 16>();
  ASSERT_EQ(narrow.size(), wide.size());
  for (size_t i = 0; i < narrow.size(); ++i) ASSERT_NEAR(narrow[i], wide[i], 1e-4F) << i;
}

TEST(WinogradTransforms, SameInBothWidths) {
  expect_same_in_both_widths<winograd::SixPoints>();
  expect_same_in_both_widths<winograd::FivePoints<3>>();
  expect_same_in_both_widths<winograd::FivePoints<2>>();
}

}  // namespace vae::kernels::cpu::winograd_test
