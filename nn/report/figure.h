#pragma once
// A figure: its size and how to draw it. The same description becomes pixels, SVG or PDF.
#include <filesystem>

#include "nn/report/canvas.h"
#include "nn/report/image.h"

namespace vae::report {

struct Figure {
  int width = 0;
  int height = 0;
  Drawing draw = {};

  /// On white; letters are outlines, so that it looks the same without the font. The same figure gives the
  /// same bytes, as pdf() does.
  std::string svg() const;
  /// One page of the figure's size, a pixel being 1/96 inch.
  std::string pdf() const;
  /// RGB pixels, `scale` per figure pixel in both directions.
  Image image(int scale = 2) const;
  /// Writes .png, .svg or .pdf by the extension of `path`, atomically. Throws Error(usage) for any other
  /// extension and Error(io) naming the path.
  void write(const std::filesystem::path& path) const;
};

}  // namespace vae::report
