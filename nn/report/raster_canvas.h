#pragma once
// Canvas that paints anti-aliased pixels. Every primitive is first a coverage mask (each pixel keeps its
// largest coverage) and is then blended once, so joints and overlaps of one primitive never darken.
#include <vector>

#include "nn/report/canvas.h"
#include "nn/report/image.h"

namespace vae::report {

class RasterCanvas final : public Canvas {
 public:
  /// A white picture of width x height figure pixels, each `scale` x `scale` image pixels.
  RasterCanvas(int width, int height, int scale);

  void rectangle(Point corner, Point size, Color fill) override;
  void polylines(std::span<const std::vector<Point>> lines, double width, Color color) override;
  void discs(std::span<const Point> centres, double radius, Color color) override;
  void text(Point anchor, std::string_view text, const TextStyle& style) override;

  const Image& image() const { return image_; }

 private:
  struct Box {  ///< image pixels, ends exclusive
    int left, top, right, bottom;
  };
  Box clip(double left, double top, double right, double bottom) const;
  /// Raises the mask along a segment of the given half width (a disc where both ends coincide). Image pixels.
  void cover(Point from, Point to, double half_width);
  void blend(Color color);

  double scale_;
  Image image_;
  std::vector<float> mask_;
  Box dirty_;
};

}  // namespace vae::report
