#include "nn/report/figure.h"

#include "nn/report/raster_canvas.h"
#include "nn/report/svg_canvas.h"
#include "tensor/error.h"
#include "tensor/file.h"

namespace vae::report {

std::string Figure::svg() const {
  SvgCanvas canvas(width, height);
  draw(canvas);
  return canvas.str();
}

Image Figure::image(int scale) const {
  RasterCanvas canvas(width, height, scale);
  draw(canvas);
  return canvas.image();
}

void Figure::write(const std::filesystem::path& path) const {
  if (path.extension() == ".svg")
    write_file_atomically(path, svg());
  else if (path.extension() == ".png")
    write_png(path, image());
  else
    fail(ErrorKind::usage, "cannot write a figure to '{}': expected a name ending in .svg or .png",
         path.string());
}

}  // namespace vae::report
