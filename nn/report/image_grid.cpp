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
  const auto check = [](const char* name, int value, int low, int high = 1 << 24) {
    VAE_CHECK(value >= low && value <= high, "image grid: {} is {}, expected {}..{}", name, value, low, high);
  };
  check("rows", options.rows, 1);
  check("columns", options.columns, 1);
  check("tile_height", options.tile_height, 1);
  check("tile_width", options.tile_width, 1);
  check("padding", options.padding, 0, kMostPixels / 8);
  check("rows_together", options.rows_together, 0);
  check("scale", options.scale, 1);
}

int extent(int cells, int tile, int padding) { return cells * (tile + padding) + padding; }

/// The padding above a row beyond that of any row.
int gaps_above(int row, const GridOptions& o) {
  return o.rows_together > 0 ? row / o.rows_together * 2 * o.padding : 0;
}

/// What of a grid is drawn within kMostPixels, and how.
struct Layout {
  int step;                                    ///< every so many pixels of a tile, down and across
  int rows, columns, tile_height, tile_width;  ///< that are drawn
  int width, height;                           ///< before they are enlarged
  int scale;

  explicit Layout(const GridOptions& o) {
    const int room = kMostPixels - 2 * o.padding;
    step = (std::max(o.tile_height, o.tile_width) + room - 1) / room;
    tile_height = (o.tile_height + step - 1) / step, tile_width = (o.tile_width + step - 1) / step;
    const int row = tile_height + (o.rows_together > 0 ? 3 : 1) * o.padding;  // at most
    rows = std::min(o.rows, (kMostPixels - o.padding) / row);
    columns = std::min(o.columns, (kMostPixels - o.padding) / (tile_width + o.padding));
    width = extent(columns, tile_width, o.padding);
    height = extent(rows, tile_height, o.padding) + gaps_above(rows - 1, o);
    scale = std::clamp(kMostPixels / std::max(width, height), 1, o.scale);
  }
};

void draw_tile(Image& image, std::span<const float> tile, int row, int column, const Layout& layout,
               const GridOptions& options) {
  const Interval interval = options.range == TileRange::per_tile ? finite_interval(tile) : Interval{};
  const int top = options.padding + row * (layout.tile_height + options.padding) + gaps_above(row, options);
  const int left = options.padding + column * (layout.tile_width + options.padding);
  for (int y = 0; y < layout.tile_height; ++y)
    for (int x = 0; x < layout.tile_width; ++x) {
      const int64_t from = int64_t{layout.step} * (int64_t{y} * options.tile_width + x) * options.channels;
      uint8_t* to = &image.pixels[(int64_t{top + y} * image.width + left + x) * options.channels];
      for (int c = 0; c < options.channels; ++c) to[c] = to_byte(tile[from + c], interval);
    }
}

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
  const Layout layout(options);
  Image image = blank_image(layout.width, layout.height, options.channels, options.background);
  for (int64_t i = 0; i < count; ++i)
    if (i / per_row < layout.rows && columns[i % per_row] < layout.columns)
      draw_tile(image, tiles.subspan(i * size, size), static_cast<int>(i / per_row), columns[i % per_row],
                layout, options);
  return upscale(image, layout.scale);
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
