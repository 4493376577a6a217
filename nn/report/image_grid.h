#pragma once
// Grids of image tiles from floats: reconstructions, samples, analogies. NaN shows as mid grey, infinities
// saturate, cells without a tile stay in the background colour. No picture is larger than 4096 x 4096 pixels:
// where it would be, tiles are enlarged less, large ones lose pixels, and rows and columns at the end are
// left out.
#include <cstdint>
#include <span>
#include <vector>

#include "nn/report/image.h"

namespace vae::report {

inline constexpr int kMostPixels = 4096;  ///< of a grid's width and height

/// How floats become bytes.
enum class TileRange {
  per_tile,  ///< the finite minimum..maximum of each tile is black..white; a constant tile is black
  unit,      ///< 0..1 is black..white, values outside saturate
};

struct GridOptions {
  int rows = 10;
  int columns = 10;
  int tile_height = 28;
  int tile_width = 28;
  int channels = 1;  ///< 1 grey, 3 RGB; the last axis of a tile
  TileRange range = TileRange::per_tile;
  int padding = 2;                      ///< background between and around tiles, before scaling
  int rows_together = 0;                ///< after so many rows the padding is threefold; 0: nowhere
  int scale = 3;                        ///< nearest-neighbour enlargement
  uint8_t background = 255;             ///< padding and empty cells
  std::vector<int> empty_columns = {};  ///< columns that take no tile

  int64_t tile_size() const { return int64_t{tile_height} * tile_width * channels; }
};

/// Tiles [n, tile_height, tile_width, channels] laid out row by row over the columns not in `empty_columns`;
/// n may be less than the number of cells. Throws Error(internal) if n is not whole or too large, or an
/// option is out of range.
Image image_grid(std::span<const float> tiles, const GridOptions& options);

/// The analogy layout: per row a source image, an empty column, then its decoding under each of `classes`
/// labels. sources: [rows, tile], decoded: [rows, classes, tile]. Rows and columns follow from the sizes; the
/// other options apply.
Image analogy_grid(std::span<const float> sources, std::span<const float> decoded, int classes,
                   GridOptions options);

}  // namespace vae::report
