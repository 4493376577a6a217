#pragma once
// What figures are drawn on. Lengths are in pixels of the figure, y grows downwards.
#include <cstdint>
#include <functional>
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

inline constexpr Color kInk = rgb(0x24292f), kMuted = rgb(0x5f6873), kRule = rgb(0xe6e8eb),
                       kPaper = rgb(0xffffff);

struct Pen {
  double width = 1;
  Color color = kInk;
  std::vector<double> dashes = {};  ///< lengths of strokes and gaps in turn; empty: a whole line
};

enum class Align { start, middle, end };

struct TextStyle {
  double size = 13;
  Color color = kInk;
  Align align = Align::start;
  bool bold = false;
  bool vertical = false;  ///< turned 90 degrees, reading upwards
};

class Canvas;
using Drawing = std::function<void(Canvas&)>;

class Canvas {
 public:
  virtual ~Canvas() = default;
  virtual void rectangle(Point corner, Point size, Color fill) = 0;
  /// Lines with round ends through the points of each; a lone point is a disc of the pen's width. Where they
  /// overlap, a translucent colour does not add up.
  virtual void lines(std::span<const std::vector<Point>> lines, const Pen& pen) = 0;
  /// One line of UTF-8 text, its baseline at `anchor`.
  virtual void text(Point anchor, std::string_view text, const TextStyle& style) = 0;
  /// What is drawn from here on is moved.
  virtual void move(Point by) = 0;
  /// The same drawing, of which files of lines keep pixels alone: thousands of marks would make them large.
  virtual void pixels(Point /*corner*/, Point /*size*/, const Drawing& draw) { draw(*this); }

  void line(std::span<const Point> points, const Pen& pen) {
    const std::vector<Point> each[] = {{points.begin(), points.end()}};
    lines(each, pen);
  }
  void line(Point from, Point to, const Pen& pen) {
    const Point points[] = {from, to};
    line(points, pen);
  }
};

/// Width in pixels of one line of text of the given size (the height of an em).
double text_width(std::string_view text, double size);

/// The text, shortened with an ellipsis where it would be wider than `width` pixels.
std::string fit_text(std::string_view text, double size, double width);

}  // namespace vae::report
