#include "nn/report/panels.h"

#include <algorithm>

#include "tensor/error.h"

namespace vae::report {

Figure panels(std::vector<Figure> figures, int columns) {
  VAE_CHECK(!figures.empty() && columns > 0, "{} panels in {} columns", figures.size(), columns);
  int width = 0, height = 0;
  for (const Figure& figure : figures)
    width = std::max(width, figure.width), height = std::max(height, figure.height);
  const int rows = (static_cast<int>(figures.size()) + columns - 1) / columns;
  return {columns * width, rows * height, [=, figures = std::move(figures)](Canvas& canvas) {
            for (int i = 0; i < static_cast<int>(figures.size()); ++i) {
              const Point corner{1.0 * (i % columns) * width, 1.0 * (i / columns) * height};
              canvas.move(corner);
              if (figures[i].draw) figures[i].draw(canvas);
              canvas.move({-corner.x, -corner.y});
            }
          }};
}

}  // namespace vae::report
