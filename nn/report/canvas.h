#pragma once
// Drawing surface of all figures, with two back ends (SVG text, anti-aliased pixels), so that a figure is
// written once. Lengths are in pixels of the figure, y grows downwards.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vae::report {

struct Point {
  double x = 0, y = 0;
};

struct Color {
  uint8_t r = 0, g = 0, b = 0;
  double alpha = 1;
};

constexpr Color rgb(uint32_t hex, double alpha = 1) {
  return {static_cast<uint8_t>(hex >> 16), static_cast<uint8_t>(hex >> 8), static_cast<uint8_t>(hex), alpha};
}

inline constexpr Color kInk = rgb(0x24292f), kMuted = rgb(0x6a737d), kRule = rgb(0xe6e8eb),
                       kPaper = rgb(0xffffff);

/// Colour of a curve or a class: ten fixed ones, repeated beyond; grey for a negative number (no class).
inline constexpr int64_t kColors = 10;
Color class_color(int64_t label);

enum class Align { start, middle, end };

struct TextStyle {
  double size = 13;
  Color color = kInk;
  Align align = Align::start;
  bool bold = false;
  bool vertical = false;  ///< turned 90 degrees, reading upwards
};

class Canvas {
 public:
  virtual ~Canvas() = default;
  virtual void rectangle(Point corner, Point size, Color fill) = 0;
  /// Lines of one colour through the points of each; where they overlap, a translucent colour does not add
  /// up.
  virtual void polylines(std::span<const std::vector<Point>> lines, double width, Color color) = 0;
  /// Discs of one colour; where they overlap, a translucent colour does not add up.
  virtual void discs(std::span<const Point> centres, double radius, Color color) = 0;
  /// One line of UTF-8 text, its baseline at `anchor`.
  virtual void text(Point anchor, std::string_view text, const TextStyle& style) = 0;

  void polyline(std::span<const Point> points, double width, Color color) {
    const std::vector<Point> lines[] = {{points.begin(), points.end()}};
    polylines(lines, width, color);
  }
  void line(Point from, Point to, double width, Color color) {
    const Point points[] = {from, to};
    polyline(points, width, color);
  }
};

/// The text, shortened with an ellipsis where it would be wider than `width` pixels.
std::string fit_text(std::string_view text, double size, double width);

}  // namespace vae::report
