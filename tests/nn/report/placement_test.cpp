// Where figures show what: counts of confusion matrices, ticks beside the points of their value, entries of
// legends; and that pixels have it in the same places.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "nn/report/confusion.h"
#include "nn/report/line_chart.h"
#include "nn/report/panels.h"
#include "nn/report/scatter.h"
#include "tests/nn/report/recorder.h"

namespace vae::report {
namespace {

/// A confusion matrix of these counts, [true][predicted].
Confusion confusion_of(const std::vector<std::vector<int>>& counts) {
  std::vector<int64_t> labels, predictions;
  for (size_t label = 0; label < counts.size(); ++label)
    for (size_t prediction = 0; prediction < counts.size(); ++prediction)
      for (int i = 0; i < counts[label][prediction]; ++i)
        labels.push_back(static_cast<int64_t>(label)),
            predictions.push_back(static_cast<int64_t>(prediction));
  return {labels, predictions, static_cast<int>(counts.size())};
}

const std::vector<std::vector<int>> kCounts{{41, 12, 13}, {21, 52, 23}, {31, 32, 63}};

/// The cells of a heat map, by row.
std::vector<Recorder::Rectangle> cells_of(const Recorder& drawn, size_t classes) {
  std::vector<Recorder::Rectangle> cells = drawn.rectangles;
  EXPECT_EQ(cells.size(), classes * classes);
  std::ranges::sort(cells, [](const auto& a, const auto& b) {
    return std::pair(a.corner.y, a.corner.x) < std::pair(b.corner.y, b.corner.x);
  });
  return cells;
}

bool inside(double value, double begin, double size) { return value > begin && value < begin + size; }

TEST(Placement, OfCountsInAConfusionMatrix) {
  const Confusion confusion = confusion_of(kCounts);
  const Recorder drawn(confusion.figure());
  const auto cells = cells_of(drawn, 3);
  const Point left_top = cells[0].corner;
  for (size_t row = 0; row < 3; ++row)
    for (size_t column = 0; column < 3; ++column) {
      const Recorder::Rectangle& cell = cells[3 * row + column];
      const Point at = drawn.only(std::to_string(kCounts[row][column])).anchor;
      EXPECT_TRUE(inside(at.x, cell.corner.x, cell.size.x) && inside(at.y, cell.corner.y, cell.size.y))
          << row << " " << column;
      EXPECT_EQ(cell.fill.b > cell.fill.r, row == column) << "right predictions are blue";
    }
  for (const Recorder::Text& text : drawn.texts) {
    if (text.text.size() != 1) continue;  // the numbers of the classes
    const auto k = static_cast<size_t>(std::stoi(text.text));
    if (text.anchor.y < left_top.y)
      EXPECT_TRUE(inside(text.anchor.x, cells[k].corner.x, cells[k].size.x)) << "column " << k;
    else
      EXPECT_TRUE(text.anchor.x < left_top.x &&
                  inside(text.anchor.y, cells[3 * k].corner.y, cells[3 * k].size.y))
          << "row " << k;
  }
  EXPECT_LT(drawn.only("predicted").anchor.y, left_top.y);
  EXPECT_LT(drawn.only("true").anchor.x, left_top.x);
  const char* recalls[] = {"62.1%", "54.2%", "50.0%"};     // 41 / 66, 52 / 96, 63 / 126
  const char* precisions[] = {"44.1%", "54.2%", "63.6%"};  // 41 / 93, 52 / 96, 63 / 99
  const auto shown = [&](const std::string& words, const auto& where) {
    return std::ranges::any_of(drawn.texts,
                               [&](const auto& t) { return t.text == words && where(t.anchor); });
  };
  for (size_t k = 0; k < 3; ++k) {
    const auto &row = cells[3 * k + 2], &column = cells[6 + k];
    EXPECT_TRUE(shown(recalls[k], [&](Point at) {
      return at.x > row.corner.x + row.size.x && inside(at.y, row.corner.y, row.size.y);
    })) << k;
    EXPECT_TRUE(shown(precisions[k], [&](Point at) {
      return at.y > column.corner.y + column.size.y && inside(at.x, column.corner.x, column.size.x);
    })) << k;
  }
  EXPECT_EQ(drawn.only("accuracy 54.2%").text, "accuracy 54.2%");  // 156 / 288
}

// Shares of 1, 1/4 and 0 of a row: the deepest colour, half of it, none.
TEST(Placement, OfColoursInAConfusionMatrix) {
  const Recorder drawn(confusion_of({{0, 4, 0}, {2, 6, 0}, {0, 0, 0}}).figure());
  const auto cells = cells_of(drawn, 3);
  const Color all = cells[1].fill, quarter = cells[3].fill, none = cells[0].fill;
  EXPECT_NEAR(quarter.r, 0.5 * (all.r + none.r), 1);
  EXPECT_NEAR(quarter.g, 0.5 * (all.g + none.g), 1);
  EXPECT_NEAR(quarter.b, 0.5 * (all.b + none.b), 1);
  EXPECT_FALSE(same_color(all, none));
  EXPECT_TRUE(same_color(cells[8].fill, none)) << "a class without images";
}

TEST(Placement, IsThatOfPixels) {
  const Figure figure = confusion_of(kCounts).figure();
  const Recorder drawn(figure);
  const Image image = figure.image(2);
  for (const Recorder::Rectangle& cell : drawn.rectangles) {
    const auto x = static_cast<size_t>(2 * (cell.corner.x + 3)),
               y = static_cast<size_t>(2 * (cell.corner.y + 3));
    const uint8_t* pixel = &image.pixels[3 * (y * static_cast<size_t>(image.width) + x)];
    EXPECT_TRUE(pixel[0] == cell.fill.r && pixel[1] == cell.fill.g && pixel[2] == cell.fill.b);
  }
}

/// Each tick's label and rule are where a point of its value is; there are at least three on either axis.
void expect_ticks_beside_points(const Recorder& drawn, const std::vector<Point>& values,
                                const std::vector<Point>& places) {
  ASSERT_EQ(values.size(), places.size());
  for (const bool x : {true, false}) {
    size_t compared = 0;
    const auto coordinate = [&](Point p) { return x ? p.x : p.y; };
    for (const auto& [value, at] : ticks_of(drawn, x))
      for (size_t i = 0; i < values.size(); ++i) {
        if (std::abs(coordinate(values[i]) - value) > 1e-9 * std::abs(value)) continue;
        EXPECT_NEAR(at, coordinate(places[i]), x ? 1e-6 : 6) << "tick " << value;  // a baseline lies lower
        EXPECT_TRUE(
            std::ranges::any_of(drawn.lines_,
                                [&](const Recorder::Points& line) {
                                  return same_color(line.color, kRule) && line.at.size() == 2 &&
                                         std::abs(coordinate(line.at[0]) - coordinate(places[i])) < 1e-6 &&
                                         std::abs(coordinate(line.at[1]) - coordinate(places[i])) < 1e-6;
                                }))
            << "rule of " << value;
        ++compared;
      }
    EXPECT_GE(compared, 3u) << (x ? "x" : "y");
  }
}

TEST(Placement, OfTicksInLineCharts) {
  for (const bool log_y : {false, true}) {
    Series series{"loss", {}, {}};
    std::vector<Point> values;
    for (int i = 0; i <= 10; ++i) {
      series.x.push_back(100 * i), series.y.push_back(log_y ? std::pow(10, i % 4) : 10 * ((3 * i) % 11));
      values.push_back({series.x.back(), series.y.back()});
    }
    const Recorder drawn(line_chart_figure({.series = {series}, .log_y = log_y}));
    const auto curve = std::ranges::find_if(
        drawn.lines_, [](const auto& line) { return same_color(line.color, class_color(0)); });
    ASSERT_NE(curve, drawn.lines_.end());
    expect_ticks_beside_points(drawn, values, curve->at);
  }
}

TEST(Placement, OfTicksInScatterPlots) {
  std::vector<Point> points;
  for (int i = -4; i <= 4; ++i) points.push_back({double(i), double((5 * (i + 4)) % 9 - 4)});
  for (const std::optional<Range>& range : {std::optional<Range>{}, std::optional(Range{-5, 5})}) {
    const Recorder drawn(scatter_figure({.points = points, .range = range}));
    ASSERT_EQ(drawn.discs_.size(), 1u);
    expect_ticks_beside_points(drawn, points, drawn.discs_[0].at);
  }
}

TEST(Placement, OfCurvesAndTheirLegend) {
  const std::vector<Series> series{
      {"second", {0, 10}, {5, 5}}, {"first", {0, 10}, {9, 9}}, {"third", {0, 10}, {1, 1}}};
  const Recorder drawn(line_chart_figure({.series = series}));
  double left = 0;
  for (size_t i = 0; i < series.size(); ++i) {
    std::vector<Recorder::Points> of_color;
    for (const auto& line : drawn.lines_)
      if (same_color(line.color, class_color(static_cast<int64_t>(i)))) of_color.push_back(line);
    ASSERT_EQ(of_color.size(), 2u) << "a curve and a mark";
    const Point name = drawn.only(series[i].name).anchor;
    EXPECT_GT(name.x, left) << "in the order of the curves";
    left = name.x;
    EXPECT_NEAR(of_color[1].at[0].y, name.y, 6) << "the mark beside the name";
    EXPECT_LT(of_color[1].at[1].x, name.x);
  }
  const auto height = [&](size_t i) {
    return std::ranges::find_if(
               drawn.lines_,
               [&](const auto& line) { return same_color(line.color, class_color(static_cast<int64_t>(i))); })
        ->at[0]
        .y;
  };
  EXPECT_LT(height(1), height(0)) << "9 is above 5";
  EXPECT_LT(height(0), height(2));
}

TEST(Placement, OfPanels) {
  const Figure one{40, 30, [](Canvas& canvas) { canvas.text({1, 2}, "one", {}); }};
  const Figure other{20, 50, [](Canvas& canvas) { canvas.rectangle({3, 4}, {5, 6}, kInk); }};
  const Figure figure = panels({one, {}, other}, 2);
  EXPECT_EQ(figure.width, 80);
  EXPECT_EQ(figure.height, 100);
  const Recorder drawn(figure);
  EXPECT_EQ(drawn.only("one").anchor.x, 1);
  ASSERT_EQ(drawn.rectangles.size(), 1u);
  EXPECT_EQ(drawn.rectangles[0].corner.x, 3);
  EXPECT_EQ(drawn.rectangles[0].corner.y, 54);
}

TEST(Placement, OfClassesAndTheirLegend) {
  const Recorder drawn(scatter_figure({.points = {{0, 0}, {1, 3}, {2, 2}, {3, 1}, {4, 4}},
                                       .labels = {2, 0, -1, 2, 1},
                                       .class_names = {"zero", "one"},
                                       .range = Range{0, 4}}));
  ASSERT_EQ(drawn.discs_.size(), 8u) << "four classes and their marks";
  const std::vector<std::pair<std::string, int64_t>> entries{
      {"no class", -1}, {"zero", 0}, {"one", 1}, {"2", 2}};
  const std::vector<std::vector<double>> xs{{2}, {1}, {4}, {0, 3}};
  double above = 0;
  for (size_t i = 0; i < entries.size(); ++i) {
    const auto& [name, label] = entries[i];
    const Recorder::Points &points = drawn.discs_[i], &mark = drawn.discs_[4 + i];
    EXPECT_TRUE(same_color(points.color, class_color(label)) && same_color(mark.color, class_color(label)));
    ASSERT_EQ(points.at.size(), xs[i].size());
    for (size_t p = 0; p < xs[i].size(); ++p)
      EXPECT_NEAR(
          (points.at[p].x - drawn.discs_[3].at[0].x) / (drawn.discs_[2].at[0].x - drawn.discs_[3].at[0].x),
          xs[i][p] / 4, 1e-9);
    Point at{};
    for (const Recorder::Text& text : drawn.texts)  // "2" is a tick, too
      if (text.text == name && text.anchor.x > mark.at[0].x) at = text.anchor;
    EXPECT_NEAR(mark.at[0].y, at.y, 6) << name;
    EXPECT_GT(at.y, above);
    above = at.y;
  }
}

}  // namespace
}  // namespace vae::report
