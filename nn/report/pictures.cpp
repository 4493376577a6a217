#include "nn/report/pictures.h"

namespace vae::report {
namespace {

GridOptions tiles_of(const Shape& shape, GridOptions grid = {}) {
  grid.tile_height = static_cast<int>(shape[1]);
  grid.tile_width = static_cast<int>(shape[2]);
  grid.channels = static_cast<int>(shape[3]);
  return grid;
}

}  // namespace

Image tensor_grid(const Tensor& images, const Shape& shape, int rows, int columns, GridOptions options) {
  GridOptions grid = tiles_of(shape, options);
  grid.rows = rows, grid.columns = columns;
  return image_grid(images.to_vector<float>(), grid);
}

Image reconstruction_picture(const Tensor& originals, const Tensor& reconstructions, const Shape& shape) {
  constexpr int64_t kColumns = 10, kPairs = 5;
  const int64_t count = std::min(kColumns * kPairs, originals.size(0)), columns = std::min(count, kColumns);
  const int64_t pairs = (count + kColumns - 1) / kColumns, row = columns * originals.size(1);
  const std::vector<float> above = originals.slice(0, count).to_vector<float>(),
                           below = reconstructions.slice(0, count).to_vector<float>();
  std::vector<float> tiles(static_cast<size_t>(2 * pairs * row), 1.0f);  // white where images are missing
  for (int64_t pair = 0; pair < pairs; ++pair) {
    const int64_t begin = pair * row, end = std::min(begin + row, std::ssize(above));
    std::copy(above.begin() + begin, above.begin() + end, tiles.begin() + 2 * begin);
    std::copy(below.begin() + begin, below.begin() + end, tiles.begin() + 2 * begin + row);
  }
  GridOptions grid = tiles_of(shape, {.range = TileRange::unit, .rows_together = 2});
  grid.rows = static_cast<int>(2 * pairs), grid.columns = static_cast<int>(columns);
  return image_grid(tiles, grid);
}

Image analogy_picture(const Tensor& sources, const Tensor& decoded, const Shape& shape, GridOptions options) {
  const int64_t rows = decoded.size(0), classes = decoded.size(1), size = decoded.size(2);
  const int64_t shown = std::min(classes, kMostGridClasses);
  std::vector<float> tiles;
  for (int64_t row = 0; row < rows; ++row) {
    const Tensor of_row = decoded.slice(row, row + 1).reshape({classes, size}).slice(0, shown);
    const std::vector<float> values = of_row.to_vector<float>();
    tiles.insert(tiles.end(), values.begin(), values.end());
  }
  return analogy_grid(sources.to_vector<float>(), tiles, static_cast<int>(shown), tiles_of(shape, options));
}

std::string analogy_caption(int64_t classes) {
  const std::string part = shown_of(kMostGridClasses, classes);
  return "Analogies: a test image, and its latent code decoded under " +
         (part.empty() ? "every class" : part);
}

Image swap_picture(const Tensor& edge, const Tensor& inside, const Shape& shape) {
  const int64_t n = edge.size(0), size = edge.size(1), cells = n + 1;
  const Tensor tiles = Tensor::zeros({cells, cells, size});
  for (int64_t r = 0; r < cells; ++r) {
    const Tensor row = tiles.slice(r, r + 1).reshape({cells, size});
    if (r > 0) row.slice(0, 1).copy_from(edge.slice(r - 1, r));
    row.slice(1, cells).copy_from(r > 0 ? inside.slice(r - 1, r).reshape({n, size}) : edge);
  }
  return tensor_grid(tiles, shape, static_cast<int>(cells), static_cast<int>(cells),
                     {.range = TileRange::unit, .padding = 0, .scale = 2});
}

Scatter code_scatter(const Tensor& codes, const std::vector<int64_t>& labels,
                     const std::vector<std::string>& class_names) {
  const std::vector<float> z = codes.to_vector<float>();
  const auto width = static_cast<size_t>(codes.size(1));
  Scatter scatter{.points = {}, .labels = labels, .class_names = class_names};
  for (size_t i = 0; i < z.size(); i += width) scatter.points.push_back({z[i], width > 1 ? z[i + 1] : 0});
  return scatter;
}

}  // namespace vae::report
