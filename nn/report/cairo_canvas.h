#pragma once
// The canvas of all files: pixels, SVG and PDF are surfaces of cairo.
#include "nn/report/canvas.h"

struct _cairo;

namespace vae::report {

class CairoCanvas final : public Canvas {
 public:
  /// `vector`: the surface keeps lines, not pixels.
  CairoCanvas(struct _cairo* cairo, bool vector) : cairo_(cairo), vector_(vector) {}

  void rectangle(Point corner, Point size, Color fill) override;
  void lines(std::span<const std::vector<Point>> lines, const Pen& pen) override;
  void text(Point anchor, std::string_view text, const TextStyle& style) override;
  void move(Point by) override;
  void pixels(Point corner, Point size, const Drawing& draw) override;

 private:
  struct _cairo* cairo_;
  bool vector_;
};

}  // namespace vae::report
