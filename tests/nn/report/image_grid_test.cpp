#include "nn/report/image_grid.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cfloat>
#include <cmath>

#include "tests/expect_error.h"

namespace vae::report {
namespace {

using test::expect_error;

/// 2 x 2 grey tiles, one pixel of padding, not enlarged.
GridOptions small(int rows, int columns) {
  return {.rows = rows, .columns = columns, .tile_height = 2, .tile_width = 2, .padding = 1, .scale = 1};
}

/// The four pixels of the tile at a cell of a `small` grid.
std::vector<int> tile_at(const Image& image, int row, int column) {
  std::vector<int> tile;
  for (int i = 0; i < 4; ++i)
    tile.push_back(image.pixels[(1 + 3 * row + i / 2) * image.width + 1 + 3 * column + i % 2]);
  return tile;
}

const std::vector<int> kBlank(4, 255);

TEST(ImageGrid, TilesFillRowsAndTheRestStaysBlank) {
  const std::vector<float> tiles{0, 1, 2, 3, 10, 11, 12, 13, -5, -5, -5, -2};
  const Image image = image_grid(tiles, small(2, 2));
  EXPECT_EQ(image.width, 7);
  EXPECT_EQ(image.height, 7);
  EXPECT_EQ(tile_at(image, 0, 0), (std::vector{0, 85, 170, 255}));
  EXPECT_EQ(tile_at(image, 0, 1), (std::vector{0, 85, 170, 255}));  // its own minimum and maximum
  EXPECT_EQ(tile_at(image, 1, 0), (std::vector{0, 0, 0, 255}));
  EXPECT_EQ(tile_at(image, 1, 1), kBlank);
  for (int i = 0; i < 7; ++i) {
    EXPECT_EQ(image.pixels[i], 255);
    EXPECT_EQ(image.pixels[3 * 7 + i], 255);
    EXPECT_EQ(image.pixels[i * 7 + 3], 255);
  }
  EXPECT_EQ(tile_at(image_grid({}, small(2, 2)), 0, 0), kBlank);
}

TEST(ImageGrid, UnitRangeSaturates) {
  GridOptions options = small(1, 1);
  options.range = TileRange::unit;
  EXPECT_EQ(tile_at(image_grid(std::vector<float>{-1, 0.2f, 0.5f, 7}, options), 0, 0),
            (std::vector{0, 51, 128, 255}));
}

TEST(ImageGrid, HostileValues) {
  const float nan = NAN, inf = INFINITY;
  const auto bytes = [](std::vector<float> tile) { return tile_at(image_grid(tile, small(1, 1)), 0, 0); };
  EXPECT_EQ(bytes({nan, 0, 1, inf}), (std::vector{128, 0, 255, 255}));
  EXPECT_EQ(bytes({nan, nan, nan, nan}), (std::vector{128, 128, 128, 128}));
  EXPECT_EQ(bytes({inf, -inf, 3, 3}), (std::vector{255, 0, 0, 0}));
  EXPECT_EQ(bytes({5, 5, 5, 5}), (std::vector{0, 0, 0, 0}));
  EXPECT_EQ(bytes({-FLT_MAX, FLT_MAX, 0, FLT_TRUE_MIN}), (std::vector{0, 255, 128, 128}));
}

TEST(ImageGrid, ColourAndScale) {
  GridOptions options{
      .rows = 1, .columns = 1, .tile_height = 1, .tile_width = 2, .channels = 3, .padding = 0, .scale = 2};
  options.range = TileRange::unit;
  const Image image = image_grid(std::vector<float>{1, 0, 0, 0, 0, 1}, options);
  EXPECT_EQ(image.channels, 3);
  EXPECT_EQ(image.width, 4);
  EXPECT_EQ(image.height, 2);
  const std::vector<uint8_t> row{255, 0, 0, 255, 0, 0, 0, 0, 255, 0, 0, 255};
  EXPECT_TRUE(std::equal(row.begin(), row.end(), image.pixels.begin()));
  EXPECT_TRUE(std::equal(row.begin(), row.end(), image.pixels.begin() + 12));
}

TEST(ImageGrid, AnalogyLayout) {
  // Row r: source with its bright pixel at 0, decodings of class k with the bright pixel at k.
  std::vector<float> sources, decoded;
  for (int row = 0; row < 3; ++row) {
    for (int i = 0; i < 4; ++i) sources.push_back(i == 0);
    for (int k = 0; k < 4; ++k)
      for (int i = 0; i < 4; ++i) decoded.push_back(i == k);
  }
  const Image image = analogy_grid(sources, decoded, 4, small(1, 1));
  EXPECT_EQ(image.width, 6 * 3 + 1);
  EXPECT_EQ(image.height, 3 * 3 + 1);
  for (int row = 0; row < 3; ++row) {
    EXPECT_EQ(tile_at(image, row, 0), (std::vector{255, 0, 0, 0}));
    EXPECT_EQ(tile_at(image, row, 1), kBlank);
    for (int k = 0; k < 4; ++k) EXPECT_EQ(tile_at(image, row, 2 + k)[k], 255);
  }
  expect_error(ErrorKind::internal, "expected 12 x 5",
               [&] { analogy_grid(sources, decoded, 5, small(1, 1)); });
  expect_error(ErrorKind::internal, "0 classes", [&] { analogy_grid(sources, {}, 0, small(1, 1)); });
  expect_error(ErrorKind::internal, "no whole number", [&] { analogy_grid({}, {}, 10, small(1, 1)); });
}

TEST(ImageGrid, ImpossibleOptionsAreErrors) {
  const std::vector<float> tiles(8);
  const auto with = [&](auto change) {
    return [&tiles, change] {
      GridOptions options = small(1, 2);
      change(options);
      image_grid(tiles, options);
    };
  };
  with([](GridOptions&) {})();
  expect_error(ErrorKind::internal, "2 tiles for 1 cells", with([](GridOptions& o) { o.columns = 1; }));
  expect_error(ErrorKind::internal, "2 tiles for 1 cells",
               with([](GridOptions& o) { o.empty_columns = {1}; }));
  expect_error(ErrorKind::internal, "2 tiles for 0 cells", with([](GridOptions& o) {
                 o.empty_columns = {0, 1};
               }));
  expect_error(ErrorKind::internal, "no whole number", with([](GridOptions& o) { o.tile_width = 3; }));
  expect_error(ErrorKind::internal, "rows is 0", with([](GridOptions& o) { o.rows = 0; }));
  expect_error(ErrorKind::internal, "columns is -2", with([](GridOptions& o) { o.columns = -2; }));
  expect_error(ErrorKind::internal, "tile_height is 0", with([](GridOptions& o) { o.tile_height = 0; }));
  expect_error(ErrorKind::internal, "padding is -1", with([](GridOptions& o) { o.padding = -1; }));
  expect_error(ErrorKind::internal, "scale is 0", with([](GridOptions& o) { o.scale = 0; }));
  expect_error(ErrorKind::internal, "channels", with([](GridOptions& o) { o.channels = 2; }));
  expect_error(ErrorKind::internal, "values are no whole", with([](GridOptions& o) { o.channels = 0; }));
}

TEST(ImageGrid, NoPictureIsLargerThanItMayBe) {
  GridOptions options{.rows = 10, .columns = 10, .tile_height = 300, .tile_width = 300};
  options.range = TileRange::unit;
  const std::vector<float> tiles(10 * 300 * 300, 0.5f);
  EXPECT_EQ(image_grid(tiles, options).width, 3022);  // enlarged once, not three times
  options.rows = options.columns = 20;
  const Image cut = image_grid(tiles, options);  // thirteen rows and columns
  EXPECT_EQ(cut.width, 13 * 302 + 2);
  EXPECT_EQ(cut.height, 13 * 302 + 2);
  GridOptions wide{.rows = 2, .columns = 2, .tile_height = 2, .tile_width = 9000, .padding = 0, .scale = 3};
  wide.range = TileRange::unit;
  std::vector<float> row(2 * 9000);
  row[0] = row[3] = row[8997] = 1;  // of every third pixel: the first, the second, the last
  const Image strip = image_grid(row, wide);
  EXPECT_EQ(strip.width, 3000);
  EXPECT_EQ(strip.height, 2);
  EXPECT_EQ(strip.pixels[0], 255);
  EXPECT_EQ(strip.pixels[1], 255);
  EXPECT_EQ(strip.pixels[2], 0);
  EXPECT_EQ(strip.pixels[2999], 255);
  EXPECT_LE(image_grid(std::vector<float>(1 << 20),
                       {.rows = 1, .columns = 1, .tile_height = 1, .tile_width = 1 << 20})
                .width,
            kMostPixels);
}

}  // namespace
}  // namespace vae::report
