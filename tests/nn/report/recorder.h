#pragma once
// A canvas that keeps what is drawn, in exact coordinates, so that tests find what a figure shows where.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "nn/report/classes.h"
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
    std::vector<double> dashes = {};
  };
  explicit Recorder(const Figure& figure) { figure.draw(*this); }

  void rectangle(Point corner, Point size, Color fill) override {
    rectangles.push_back({moved(corner), size, fill});
  }
  /// Lone points of one call are discs.
  void lines(std::span<const std::vector<Point>> each, const Pen& pen) override {
    Points lone{{}, pen.width / 2, pen.color};
    for (const std::vector<Point>& points : each) {
      Points& to =
          points.size() == 1 ? lone : lines_.emplace_back(Points{{}, pen.width, pen.color, pen.dashes});
      for (const Point& p : points) to.at.push_back(moved(p));
    }
    if (!lone.at.empty()) discs_.push_back(lone);
  }
  void text(Point anchor, std::string_view text, const TextStyle& style) override {
    texts.push_back({moved(anchor), std::string(text), style});
  }
  void move(Point by) override { origin_ = moved(by); }

  /// The only text of these words.
  Text only(const std::string& words) const {
    std::vector<Text> found;
    for (const Text& text : texts)
      if (text.text == words) found.push_back(text);
    EXPECT_EQ(found.size(), 1u) << words;
    return found.empty() ? Text{} : found[0];
  }

  std::vector<Rectangle> rectangles;
  std::vector<Points> lines_, discs_;
  std::vector<Text> texts;

  /// How many texts have these words.
  int64_t count(const std::string& words) const { return std::ranges::count(texts, words, &Text::text); }
  /// Whether a text has these words among others.
  bool says(const std::string& words) const {
    return std::ranges::any_of(texts, [&](const Text& t) { return t.text.find(words) != std::string::npos; });
  }

 private:
  Point moved(Point p) const { return {p.x + origin_.x, p.y + origin_.y}; }
  Point origin_;
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
