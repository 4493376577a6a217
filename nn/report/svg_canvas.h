#pragma once
// Canvas that writes SVG: standalone and inline in HTML, no ids, no scripts, no external references.
#include "nn/report/canvas.h"

namespace vae::report {

class SvgCanvas final : public Canvas {
 public:
  SvgCanvas(int width, int height) : width_(width), height_(height) {}

  void rectangle(Point corner, Point size, Color fill) override;
  void polylines(std::span<const std::vector<Point>> lines, double width, Color color) override;
  /// One path for all discs: a dot of zero length with round caps costs about ten bytes.
  void discs(std::span<const Point> centres, double radius, Color color) override;
  void text(Point anchor, std::string_view text, const TextStyle& style) override;

  /// The document so far, on white: inks are chosen for paper.
  std::string str() const;

 private:
  int width_, height_;
  std::string body_;
};

}  // namespace vae::report
