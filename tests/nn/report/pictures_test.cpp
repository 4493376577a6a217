// Pictures of image tensors, pixel by pixel: which image lies in which cell, and what lies between the cells.
#include "nn/report/pictures.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/numeric.h"

namespace vae::report::pictures_test {

constexpr int kHeight = 3, kWidth = 5, kPixels = kHeight * kWidth;
const Shape kShape{1, kHeight, kWidth, 1};

/// Images [n, 15], black but for one pixel, which tells the number; of `first` on.
Tensor numbered(int64_t n, int64_t first = 0) {
  const Tensor images = Tensor::zeros({n, kPixels});
  for (int64_t i = 0; i < n; ++i) images.data<float>()[i * kPixels + (first + i) % kPixels] = 1;
  return images;
}

constexpr int kBlank = -1, kBlack = -2;
/// The number of the image in a cell, or one of these.
using Cell = std::function<int(int row, int column)>;

/// Every pixel of a grid of black and white tiles on white.
void expect_grid(const Image& image, int rows, int columns, int padding, int scale, const Cell& cell) {
  ASSERT_EQ(image.width, scale * (columns * (kWidth + padding) + padding));
  ASSERT_EQ(image.height, scale * (rows * (kHeight + padding) + padding));
  ASSERT_EQ(image.channels, 1);
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x) {
      const int row = y / scale / (kHeight + padding), column = x / scale / (kWidth + padding);
      const int v = y / scale % (kHeight + padding) - padding, u = x / scale % (kWidth + padding) - padding;
      const bool between = v < 0 || u < 0;  // the padding above and to the left of a tile
      const int number = between ? kBlank : cell(row, column);
      const int expected = number == kBlank ? 255 : number == v * kWidth + u ? 255 : 0;
      ASSERT_EQ(image.pixels[static_cast<size_t>(y * image.width + x)], expected)
          << "row " << row << " column " << column << " pixel " << v << " " << u;
    }
}

TEST(Pictures, GridsAreFilledRowByRow) {
  const auto cell = [](int row, int column) { return row == 2 && column > 1 ? kBlank : 4 * row + column; };
  expect_grid(tensor_grid(numbered(10), kShape, 3, 4), 3, 4, 2, 3, cell);
  expect_grid(tensor_grid(numbered(10), kShape, 3, 4, {.range = TileRange::unit, .padding = 1, .scale = 1}),
              3, 4, 1, 1, cell);
}

// Rows of a pair touch as tiles do; between pairs lies three times the padding.
TEST(Pictures, ReconstructionsStandBelowTheirImages) {
  for (const int count : {1, 7, 12, 105}) {
    SCOPED_TRACE(count);
    const Tensor images = numbered(count), reconstructions = numbered(count, 4);
    const Image image = reconstruction_picture(images, reconstructions, kShape);
    const int shown = std::min(count, 50), columns = std::min(count, 10), pairs = (shown + 9) / 10;
    constexpr int kScale = 3, kPadding = 2, kPair = 2 * (kHeight + kPadding) + 2 * kPadding;
    ASSERT_EQ(image.width, kScale * (columns * (kWidth + kPadding) + kPadding));
    ASSERT_EQ(image.height, kScale * (pairs * kPair - kPadding));
    for (int i = 0; i < 10 * pairs; ++i)
      for (const bool below : {false, true}) {
        if (i % 10 >= columns) continue;
        const int left = kPadding + i % 10 * (kWidth + kPadding);
        const int top = kPadding + i / 10 * kPair + (below ? kHeight + kPadding : 0);
        for (int p = 0; p < kPixels; ++p) {
          const int x = kScale * (left + p % kWidth), y = kScale * (top + p / kWidth);
          const bool white = i >= shown || p == (i + (below ? 4 : 0)) % kPixels;
          ASSERT_EQ(image.pixels[static_cast<size_t>(y * image.width + x)], white ? 255 : 0) << i << " " << p;
        }
      }
  }
}

// Two sources, 13 and 14, under three classes: image 3 r + k.
TEST(Pictures, AnalogiesHaveARowPerImageAndAColumnPerClass) {
  expect_grid(analogy_picture(numbered(2, 13), numbered(6).reshape({2, 3, kPixels}), kShape), 2, 5, 2, 3,
              [](int row, int column) {
                return column == 0 ? 13 + row : column == 1 ? kBlank : 3 * row + column - 2;
              });
}

// Three images on both edges, 9 to 11; inside 3 r + c.
TEST(Pictures, SwapsHaveStylesInRowsAndClassesInColumns) {
  expect_grid(swap_picture(numbered(3, 9), numbered(9).reshape({3, 3, kPixels}), kShape), 4, 4, 0, 2,
              [](int row, int column) {
                if (row == 0 && column == 0) return kBlack;
                if (row == 0) return 9 + column - 1;
                return column == 0 ? 9 + row - 1 : 3 * (row - 1) + column - 1;
              });
}

TEST(Pictures, CodesAreTheirFirstTwoColumns) {
  const Scatter scatter = code_scatter(test::tensor_of({1, 2, 3, 4, 5, 6}, {2, 3}, DType::f32), {7, 8});
  ASSERT_EQ(scatter.points.size(), 2u);
  EXPECT_EQ(scatter.points[1].x, 4);
  EXPECT_EQ(scatter.points[1].y, 5);
  EXPECT_EQ(scatter.labels, (std::vector<int64_t>{7, 8}));
  const Scatter line = code_scatter(test::tensor_of({1, 2}, {2, 1}, DType::f32));
  ASSERT_EQ(line.points.size(), 2u);
  EXPECT_EQ(line.points[1].x, 2);
  EXPECT_EQ(line.points[1].y, 0);
}

}  // namespace vae::report::pictures_test
