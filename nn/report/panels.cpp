#include "nn/report/panels.h"

#include <algorithm>

#include "tensor/error.h"

namespace vae::report {
namespace {

/// A part of a canvas, with a corner of its own.
class Part : public Canvas {
 public:
  Part(Canvas& whole, Point corner) : whole_(whole), corner_(corner) {}
  void rectangle(Point corner, Point size, Color fill) override {
    whole_.rectangle(moved(corner), size, fill);
  }
  void polylines(std::span<const std::vector<Point>> lines, double width, Color color) override {
    std::vector<std::vector<Point>> there;
    for (const std::vector<Point>& line : lines) there.push_back(moved(line));
    whole_.polylines(there, width, color);
  }
  void discs(std::span<const Point> centres, double radius, Color color) override {
    whole_.discs(moved(centres), radius, color);
  }
  void text(Point anchor, std::string_view text, const TextStyle& style) override {
    whole_.text(moved(anchor), text, style);
  }

 private:
  Point moved(Point p) const { return {p.x + corner_.x, p.y + corner_.y}; }
  std::vector<Point> moved(std::span<const Point> points) const {
    std::vector<Point> there;
    for (const Point& p : points) there.push_back(moved(p));
    return there;
  }
  Canvas& whole_;
  Point corner_;
};

}  // namespace

Figure panels(std::vector<Figure> figures, int columns) {
  VAE_CHECK(!figures.empty() && columns > 0, "{} panels in {} columns", figures.size(), columns);
  int width = 0, height = 0;
  for (const Figure& figure : figures)
    width = std::max(width, figure.width), height = std::max(height, figure.height);
  const int rows = (static_cast<int>(figures.size()) + columns - 1) / columns;
  return {columns * width, rows * height, [=, figures = std::move(figures)](Canvas& canvas) {
            canvas.rectangle({0, 0}, {1.0 * columns * width, 1.0 * rows * height}, kPaper);
            for (int i = 0; i < static_cast<int>(figures.size()); ++i) {
              Part part(canvas, {1.0 * (i % columns) * width, 1.0 * (i / columns) * height});
              if (figures[i].draw) figures[i].draw(part);
            }
          }};
}

}  // namespace vae::report
