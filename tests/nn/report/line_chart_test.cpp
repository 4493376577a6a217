#include "nn/report/line_chart.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/expect_error.h"
#include "tests/nn/report/well_formed.h"

namespace vae::report {
namespace {

using test::occurrences;

constexpr const char* kCurve = "stroke-width=\"1.8\"";
constexpr const char* kDot = "h0\"";

Series line(const std::string& name, int points) {
  Series series{name, {}, {}};
  for (int i = 0; i < points; ++i) {
    series.x.push_back(i);
    series.y.push_back(100 * std::exp(-0.01 * i) + 1);
  }
  return series;
}

TEST(LineChart, SeveralSeriesHaveALegend) {
  const std::string one =
      line_chart_figure({.series = {line("loss", 50)}, .title = "T", .x_label = "step"}).svg();
  EXPECT_EQ(occurrences(one, kCurve), 1u);
  EXPECT_EQ(one.find("loss"), std::string::npos);
  const std::string two = line_chart_figure({.series = {line("loss <a>", 50), line("b", 20)}}).svg();
  EXPECT_EQ(occurrences(two, kCurve), 2u);
  EXPECT_NE(two.find(">loss &lt;a&gt;<"), std::string::npos);
  EXPECT_NE(two.find(">b<"), std::string::npos);
  test::expect_well_formed(two);
  test::expect_self_contained(two);
}

TEST(LineChart, GapsInterruptAndLonePointsAreDiscs) {
  Series series = line("a", 20);
  series.y[5] = NAN;
  series.y[10] = INFINITY;
  series.y[12] = NAN;  // leaves 11 alone
  const std::string svg = line_chart_figure({.series = {series}}).svg();
  EXPECT_EQ(occurrences(svg, kCurve), 3u);
  EXPECT_EQ(occurrences(svg, kDot), 1u);
}

TEST(LineChart, LogarithmicAxisSkipsWhatHasNoLogarithm) {
  Series series = line("a", 20);
  series.y[5] = 0;
  series.y[10] = -3;
  const std::string svg = line_chart_figure({.series = {series}, .log_y = true}).svg();
  EXPECT_EQ(occurrences(svg, kCurve), 3u);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
}

TEST(LineChart, LongSeriesAreThinnedButKeepTheirExtremes) {
  Series series = line("a", 1'000'000);
  series.y[777'777] = 5000;
  const Figure figure = line_chart_figure({.series = {series}});
  const std::string svg = figure.svg();
  EXPECT_LT(svg.size(), 80'000u);
  EXPECT_NE(svg.find(">5000<"), std::string::npos);  // the spike sets the axis
  EXPECT_NO_THROW(figure.image(1));
}

TEST(LineChart, HostileInput) {
  const std::vector<Series> cases[] = {
      {},
      {{"empty", {}, {}}},
      {{"nothing to see", {NAN, 1}, {1, NAN}}},
      {{"one", {3}, {4}}},
      {{"flat", {0, 1}, {7, 7}}},
      {{"vertical", {1, 1}, {0, 1}}},
      {{"huge", {-1e300, 1e300}, {1e300, -1e300}}},
      {{"tiny", {0, 5e-324}, {5e-324, 0}}},
      {{"beyond", {0, 1}, {1e308, -1e308}}},
      std::vector<Series>(100, line(std::string(300, 'n'), 3)),
  };
  for (const auto& series : cases)
    for (const bool log_y : {false, true}) {
      const Figure figure = line_chart_figure({.series = series, .title = "\xff</svg>", .log_y = log_y});
      const std::string svg = figure.svg();
      test::expect_well_formed(svg);
      EXPECT_EQ(occurrences(svg, "nan") + occurrences(svg, "inf\""), 0u) << svg;
      EXPECT_NO_THROW(figure.image(1));
    }
  EXPECT_NE(line_chart_figure({}).svg().find("no data"), std::string::npos);
  test::expect_error(ErrorKind::internal, "series 'a' has 2 x and 1 y", [] {
    line_chart_figure({.series = {{"a", {1, 2}, {1}}}});
  });
}

}  // namespace
}  // namespace vae::report
