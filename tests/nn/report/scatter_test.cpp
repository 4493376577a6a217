#include "nn/report/scatter.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <set>

#include "tests/expect_error.h"
#include "tests/nn/report/well_formed.h"

namespace vae::report {
namespace {

using test::expect_error;
using test::occurrences;

Scatter circle(int points, int classes) {
  Scatter scatter;
  for (int i = 0; i < points; ++i) {
    scatter.points.push_back({2 * std::cos(i), 2 * std::sin(1.3 * i)});
    if (classes > 0) scatter.labels.push_back(i % classes);
  }
  return scatter;
}

int64_t pixels_of(const Image& image, uint32_t hex) {
  const Color color = rgb(hex);
  int64_t count = 0;
  for (size_t i = 0; i < image.pixels.size(); i += 3)
    count += image.pixels[i] == color.r && image.pixels[i + 1] == color.g && image.pixels[i + 2] == color.b;
  return count;
}

TEST(Scatter, ClassesHaveTheirColoursAndALegend) {
  const Figure figure = scatter_figure(circle(200, 10));
  const Image image = figure.image();
  const std::string svg = figure.svg();
  for (const uint32_t hex :
       {0x2103c8, 0x0e960e, 0xe40402, 0x05aaa8, 0xac02ab, 0xaba808, 0x151515, 0x94a169, 0xbec9cd, 0x6a6551}) {
    EXPECT_GT(pixels_of(image, hex), 100) << std::hex << hex;      // the opaque disc of the legend
    EXPECT_EQ(occurrences(svg, fmt::format("#{:06x}", hex)), 2u);  // one path of points, one in the legend
  }
  test::expect_well_formed(svg);
  test::expect_self_contained(svg);
}

TEST(Scatter, WithoutLabelsThereIsNoLegend) {
  const Figure plain = scatter_figure(circle(200, 0)), labelled = scatter_figure(circle(200, 10));
  EXPECT_LT(plain.width, labelled.width);
  EXPECT_EQ(occurrences(plain.svg(), "#2103c8"), 1u);
}

TEST(Scatter, SvgOfManyPointsIsSmall) {
  const std::string svg = scatter_figure(circle(10000, 10)).svg();
  EXPECT_EQ(occurrences(svg, "h0"), 10010u);
  EXPECT_LT(svg.size(), 180'000u);
}

TEST(Scatter, FixedRangeHasItsTicksAndCountsWhatIsOutside) {
  Scatter scatter{.points = {{0, 0}, {4, -4}, {4.1, 0}, {0, -7}, {NAN, 0}, {0, INFINITY}},
                  .range = Range{-4, 4}};
  const std::string svg = scatter_figure(scatter).svg();
  for (int tick = -4; tick <= 4; ++tick)
    EXPECT_EQ(occurrences(svg, fmt::format(">{}</text>", tick)), 2u) << tick;
  EXPECT_EQ(occurrences(svg, "h0"), 2u);
  EXPECT_NE(svg.find("2 points outside, 2 not finite"), std::string::npos);
}

TEST(Scatter, UnitsAreEqualOnBothAxes) {
  // Points on a wide flat ellipse: a step of one unit must be as long in x as in y.
  const Scatter scatter{.points = {{0, 0}, {100, 0}, {100, 100}, {-400, 5}}};
  const std::string svg = scatter_figure(scatter).svg();
  std::vector<Point> places;
  const size_t path = svg.find("<path d=\"M", svg.find("h0") - 30);
  const char* at = svg.c_str() + path + 10;
  for (int i = 0; i < 4; ++i) {
    char* end = nullptr;
    const double x = std::strtod(at, &end), y = std::strtod(end, &end);
    places.push_back({x, y});
    at = end + 3;  // "h0M"
  }
  EXPECT_NEAR(places[1].x - places[0].x, places[1].y - places[2].y, 0.21);
  EXPECT_GT(places[1].x - places[0].x, 50);
}

/// A plot of one class, without its legend's name.
std::string plot_of(int64_t label) {
  Scatter scatter = circle(30, 1);
  scatter.labels.assign(30, label);
  scatter.class_names.assign(70, "class");
  return scatter_figure(scatter).svg();
}

TEST(Scatter, SixtyClassesAreToldApart) {
  std::set<std::string> plots;
  for (int64_t label = 0; label < 60; ++label) plots.insert(plot_of(label));
  EXPECT_EQ(plots.size(), 60u);
  EXPECT_EQ(plot_of(60), plot_of(61));  // grey
  EXPECT_EQ(plots.count(plot_of(60)), 0u);
  const Figure figure = scatter_figure(circle(600, 60));
  for (int64_t label = 0; label < 60; ++label)
    EXPECT_GE(occurrences(figure.svg(), fmt::format(">{}</text>", label)), 1u) << label;
  EXPECT_EQ(figure.svg().find(" more<"), std::string::npos);
  EXPECT_NO_THROW(figure.image(1));
}

TEST(Scatter, HostileInput) {
  for (const auto& points : {std::vector<Point>{},
                             {{NAN, NAN}},
                             {{1, 1}},
                             {{1e300, -1e300}, {-1e300, 1e300}},
                             {{1e308, 0}},
                             {{5e-324, 0}, {0, 0}},
                             {{1e10, 1e10}, {1e10, 1e10}}}) {
    const Figure figure =
        scatter_figure({.points = points, .title = "</text><script>", .x_label = std::string(5000, 'x')});
    test::expect_well_formed(figure.svg());
    test::expect_self_contained(figure.svg());
    EXPECT_EQ(figure.svg().find("nan"), std::string::npos);
    EXPECT_EQ(figure.svg().find("inf\""), std::string::npos);
    EXPECT_NO_THROW(figure.image(1));
  }
  expect_error(ErrorKind::internal, "1 labels for 2 points", [] {
    scatter_figure({.points = {{0, 0}, {1, 1}}, .labels = {1}});
  });
  expect_error(ErrorKind::internal, "axis from 4 to -4", [] {
    scatter_figure({.points = {}, .range = Range{4, -4}});
  });
}

TEST(Scatter, AnyLabelsAndNames) {
  Scatter scatter = circle(3000, 1000);
  scatter.labels[0] = -1;
  scatter.labels[1] = INT64_MIN;
  scatter.labels[2] = INT64_MAX;
  scatter.class_names = {"zero", "<one>"};
  const Figure figure = scatter_figure(scatter);
  const std::string svg = figure.svg();
  EXPECT_NE(svg.find(">no class<"), std::string::npos);
  EXPECT_NE(svg.find(">zero<"), std::string::npos);
  EXPECT_NE(svg.find("&lt;one&gt;"), std::string::npos);
  EXPECT_NE(svg.find(">941 further classes<"), std::string::npos);  // 60 to 999, and INT64_MAX
  EXPECT_LT(occurrences(svg, "<text"), 100u);
  EXPECT_NO_THROW(figure.image(1));
}

}  // namespace
}  // namespace vae::report
