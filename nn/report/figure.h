#pragma once
// A figure: its size and how to draw it. The same description becomes SVG, pixels, or a file of either kind.
#include <filesystem>
#include <functional>
#include <string>

#include "nn/report/canvas.h"
#include "nn/report/image.h"

namespace vae::report {

struct Figure {
  int width = 0;
  int height = 0;
  std::function<void(Canvas&)> draw = {};

  std::string svg() const;
  /// RGB pixels, `scale` per figure pixel in both directions.
  Image image(int scale = 2) const;
  /// Writes .svg or .png by the extension of `path`, atomically. Throws Error(usage) for any other extension
  /// and Error(io) naming the path.
  void write(const std::filesystem::path& path) const;
};

}  // namespace vae::report
