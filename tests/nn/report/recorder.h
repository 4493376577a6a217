#pragma once
// A canvas that keeps what is drawn, in exact coordinates, so that tests find what a figure shows where.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "nn/report/figure.h"

namespace vae::report {

class Recorder final : public Canvas {
 public:
  struct Rectangle {
    Point corner, size;
    Color fill;
  };
  struct Text {
    Point anchor;
    std::string text;
    TextStyle style;
  };
  struct Points {
    std::vector<Point> at;
    double size;  ///< width of a line, radius of discs
    Color color;
  };
  explicit Recorder(const Figure& figure) { figure.draw(*this); }

  void rectangle(Point corner, Point size, Color fill) override {
    rectangles.push_back({corner, size, fill});
  }
  void polylines(std::span<const std::vector<Point>> each, double width, Color color) override {
    for (const std::vector<Point>& points : each) lines.push_back({points, width, color});
  }
  void discs(std::span<const Point> centres, double radius, Color color) override {
    discs_.push_back({{centres.begin(), centres.end()}, radius, color});
  }
  void text(Point anchor, std::string_view text, const TextStyle& style) override {
    texts.push_back({anchor, std::string(text), style});
  }

  /// The only text of these words.
  Text only(const std::string& words) const {
    std::vector<Text> found;
    for (const Text& text : texts)
      if (text.text == words) found.push_back(text);
    EXPECT_EQ(found.size(), 1u) << words;
    return found.empty() ? Text{} : found[0];
  }

  std::vector<Rectangle> rectangles;
  std::vector<Points> lines, discs_;
  std::vector<Text> texts;
};

inline bool same_color(Color a, Color b) { return a.r == b.r && a.g == b.g && a.b == b.b; }

/// The tick labels on an axis, each with its coordinate: those below the plot (x), or left of it (y).
inline std::vector<std::pair<double, double>> ticks_of(const Recorder& drawn, bool x) {
  std::vector<std::pair<double, double>> ticks;  // value, coordinate
  for (const Recorder::Text& text : drawn.texts) {
    if (text.style.align != (x ? Align::middle : Align::end) || text.style.size != 12) continue;
    if (text.text.empty() || text.text.find_first_not_of("0123456789.+-e") != std::string::npos) continue;
    ticks.emplace_back(std::stod(text.text), x ? text.anchor.x : text.anchor.y);
  }
  return ticks;
}

}  // namespace vae::report
