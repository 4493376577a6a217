#include "nn/report/line_chart.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "tests/expect_error.h"
#include "tests/nn/report/recorder.h"
#include "tests/nn/report/well_formed.h"

namespace vae::report {
namespace {

/// The curves of a chart, in the colours of classes.
std::vector<Recorder::Points> curves_of(const Recorder& drawn) {
  std::vector<Recorder::Points> curves;
  for (const auto& line : drawn.lines_)
    if (line.size == 1.8) curves.push_back(line);
  return curves;
}

Series line(const std::string& name, int points) {
  Series series{name, {}, {}};
  for (int i = 0; i < points; ++i) {
    series.x.push_back(i);
    series.y.push_back(100 * std::exp(-0.01 * i) + 1);
  }
  return series;
}

TEST(LineChart, SeveralSeriesHaveALegend) {
  const Recorder one(line_chart_figure({.series = {line("loss", 50)}, .title = "T", .x_label = "step"}));
  EXPECT_EQ(curves_of(one).size(), 1u);
  EXPECT_EQ(one.count("loss"), 0);
  EXPECT_EQ(one.count("T"), 1);
  const Recorder two(line_chart_figure({.series = {line("loss <a>", 50), line("b", 20)}}));
  EXPECT_EQ(curves_of(two).size(), 2u);
  EXPECT_EQ(two.count("loss <a>"), 1);
  EXPECT_EQ(two.count("b"), 1);
}

TEST(LineChart, WhatHasNoDataIsNotInTheLegend) {
  const Recorder drawn(line_chart_figure(
      {.series = {{"none", {}, {}}, line("a", 5), {"nan", {1, 2}, {NAN, NAN}}, line("b", 5)}}));
  EXPECT_EQ(drawn.count("none") + drawn.count("nan"), 0);
  EXPECT_EQ(drawn.count("a") + drawn.count("b"), 2);
  EXPECT_TRUE(same_color(curves_of(drawn).at(0).color, class_color(1))) << "a curve keeps its colour";
}

TEST(LineChart, SixtyCurvesAreToldApart) {
  const Recorder drawn(line_chart_figure({.series = std::vector<Series>(60, line("a", 5))}));
  std::set<std::pair<std::vector<double>, std::vector<int>>> kinds;
  for (const auto& [at, size, color, dashes] : curves_of(drawn))
    kinds.insert({dashes, {color.r, color.g, color.b}});
  EXPECT_EQ(kinds.size(), 60u);
}

TEST(LineChart, GapsInterruptAndLonePointsAreDiscs) {
  Series series = line("a", 20);
  series.y[5] = NAN;
  series.y[10] = INFINITY;
  series.y[12] = NAN;  // leaves 11 alone
  const Recorder drawn(line_chart_figure({.series = {series}}));
  EXPECT_EQ(curves_of(drawn).size(), 3u);
  EXPECT_EQ(drawn.discs_.size(), 1u);
}

TEST(LineChart, LogarithmicAxisSkipsWhatHasNoLogarithm) {
  Series series = line("a", 20);
  series.y[5] = 0;
  series.y[10] = -3;
  const Recorder drawn(line_chart_figure({.series = {series}, .log_y = true}));
  EXPECT_EQ(curves_of(drawn).size(), 3u);
}

TEST(LineChart, LongSeriesAreThinnedButKeepTheirExtremes) {
  Series series = line("a", 1'000'000);
  series.y[777'777] = 5000;
  const Figure figure = line_chart_figure({.series = {series}});
  EXPECT_LT(figure.svg().size(), 80'000u);
  EXPECT_EQ(Recorder(figure).count("5000"), 1);  // the spike sets the axis
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
      EXPECT_EQ(test::occurrences(svg, "nan") + test::occurrences(svg, "inf"), 0u);
      EXPECT_NO_THROW(figure.image(1));
    }
  EXPECT_EQ(Recorder(line_chart_figure({})).count("no data"), 1);
  test::expect_error(ErrorKind::internal, "series 'a' has 2 x and 1 y", [] {
    line_chart_figure({.series = {{"a", {1, 2}, {1}}}});
  });
}

}  // namespace
}  // namespace vae::report
