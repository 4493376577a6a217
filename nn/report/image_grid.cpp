#include "nn/report/image_grid.h"

#include <algorithm>
#include <cmath>

#include "tensor/error.h"

namespace vae::report {
namespace {

constexpr uint8_t kNotANumber = 128;

struct Interval {
  double low = 0, high = 1;
};

Interval finite_interval(std::span<const float> tile) {
  Interval interval{HUGE_VAL, -HUGE_VAL};
  for (const float value : tile)
    if (std::isfinite(value)) {
      interval.low = std::min<double>(interval.low, value);
      interval.high = std::max<double>(interval.high, value);
    }
  return interval.low <= interval.high ? interval : Interval{};
}

uint8_t to_byte(double value, Interval interval) {
  if (std::isnan(value)) return kNotANumber;
  if (std::isinf(value)) return value > 0 ? 255 : 0;
  const double span = interval.high - interval.low;
  const double unit = span > 0 ? (value - interval.low) / span : 0;
  return static_cast<uint8_t>(std::lround(255 * std::clamp(unit, 0.0, 1.0)));
}

void check_options(const GridOptions& options) {
  const int kMax = 1 << 14;
  const auto check = [=](const char* name, int value, int low) {
    VAE_CHECK(value >= low && value <= kMax, "image grid: {} is {}, expected {}..{}", name, value, low, kMax);
  };
  check("rows", options.rows, 1);
  check("columns", options.columns, 1);
  check("tile_height", options.tile_height, 1);
  check("tile_width", options.tile_width, 1);
  check("padding", options.padding, 0);
  check("scale", options.scale, 1);
}

void draw_tile(Image& image, std::span<const float> tile, int row, int column, const GridOptions& options) {
  const Interval interval = options.range == TileRange::per_tile ? finite_interval(tile) : Interval{};
  const int top = options.padding + row * (options.tile_height + options.padding);
  const int left = options.padding + column * (options.tile_width + options.padding);
  const int row_values = options.tile_width * options.channels;
  for (int y = 0; y < options.tile_height; ++y) {
    uint8_t* to = &image.pixels[(int64_t{top + y} * image.width + left) * options.channels];
    for (int i = 0; i < row_values; ++i) to[i] = to_byte(tile[int64_t{y} * row_values + i], interval);
  }
}

int64_t extent(int cells, int tile, int padding) { return int64_t{cells} * (tile + padding) + padding; }

}  // namespace

Image image_grid(std::span<const float> tiles, const GridOptions& options) {
  check_options(options);
  std::vector<int> columns;
  for (int column = 0; column < options.columns; ++column)
    if (std::ranges::count(options.empty_columns, column) == 0) columns.push_back(column);
  const int64_t size = options.tile_size(), per_row = std::ssize(columns), cells = options.rows * per_row;
  const int64_t count = size > 0 ? std::ssize(tiles) / size : 0;
  VAE_CHECK(size > 0 && std::ssize(tiles) % size == 0,
            "image grid: {} values are no whole number of tiles of {}", tiles.size(), size);
  VAE_CHECK(count <= cells, "image grid: {} tiles for {} cells", count, cells);
  const int64_t width = extent(options.columns, options.tile_width, options.padding);
  const int64_t height = extent(options.rows, options.tile_height, options.padding);
  // Extents of at most 2^14 cells of 2^15 pixels fit an int; their product is checked by blank_image.
  Image image =
      blank_image(static_cast<int>(width), static_cast<int>(height), options.channels, options.background);
  for (int64_t i = 0; i < count; ++i)
    draw_tile(image, tiles.subspan(i * size, size), static_cast<int>(i / per_row), columns[i % per_row],
              options);
  return upscale(image, options.scale);
}

Image analogy_grid(std::span<const float> sources, std::span<const float> decoded, int classes,
                   GridOptions options) {
  const int64_t size = options.tile_size();
  VAE_CHECK(classes > 0 && classes < 1 << 14, "analogy grid: {} classes", classes);
  VAE_CHECK(
      size > 0 && !sources.empty() && std::ssize(sources) % size == 0 && sources.size() / size < 1 << 14,
      "analogy grid: {} values are no whole number of source tiles of {}", sources.size(), size);
  VAE_CHECK(decoded.size() == sources.size() * classes, "analogy grid: {} decoded values, expected {} x {}",
            decoded.size(), sources.size(), classes);
  options.rows = static_cast<int>(std::ssize(sources) / size);
  options.columns = classes + 2;
  options.empty_columns = {1};
  std::vector<float> tiles;
  tiles.reserve(sources.size() + decoded.size());
  for (int64_t row = 0; row < options.rows; ++row) {
    const auto source = sources.subspan(row * size, size),
               analogies = decoded.subspan(row * size * classes, size * classes);
    tiles.insert(tiles.end(), source.begin(), source.end());
    tiles.insert(tiles.end(), analogies.begin(), analogies.end());
  }
  return image_grid(tiles, options);
}

}  // namespace vae::report
