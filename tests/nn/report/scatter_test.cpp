#include "nn/report/scatter.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>

#include "tests/expect_error.h"
#include "tests/nn/report/recorder.h"
#include "tests/nn/report/well_formed.h"

namespace vae::report {
namespace {

using test::expect_error;

Scatter circle(int points, int classes) {
  Scatter scatter;
  for (int i = 0; i < points; ++i) {
    scatter.points.push_back({2 * std::cos(i), 2 * std::sin(1.3 * i)});
    if (classes > 0) scatter.labels.push_back(i % classes);
  }
  return scatter;
}

int64_t pixels_of(const Image& image, Color color) {
  int64_t count = 0;
  for (size_t i = 0; i < image.pixels.size(); i += 3)
    count += image.pixels[i] == color.r && image.pixels[i + 1] == color.g && image.pixels[i + 2] == color.b;
  return count;
}

TEST(Scatter, ClassesHaveTheirColoursAndALegend) {
  const Figure figure = scatter_figure(circle(200, 10));
  const Image image = figure.image();
  const Recorder drawn(figure);
  ASSERT_EQ(drawn.discs_.size(), 20u) << "points of each class, and a mark in the legend";
  for (int64_t label = 0; label < 10; ++label) {
    const Color color = class_color(label);
    EXPECT_GT(pixels_of(image, color), 100) << label;  // the opaque disc of the legend
    EXPECT_EQ(drawn.discs_[static_cast<size_t>(label)].at.size(), 20u);
    EXPECT_TRUE(same_color(drawn.discs_[static_cast<size_t>(10 + label)].color, color));
  }
  test::expect_well_formed(figure.svg());
  test::expect_self_contained(figure.svg());
}

/// What people without one of the three cones see of a colour, in linear light (Machado et al. 2009, severity
/// 1); with all three the colour itself.
std::array<double, 3> seen(Color color, int missing) {
  constexpr double kMatrices[4][3][3] = {
      {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
      {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
      {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}},
      {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
  const uint8_t channels[] = {color.r, color.g, color.b};
  std::array<double, 3> result{};
  for (int row = 0; row < 3; ++row)
    for (int c = 0; c < 3; ++c) {
      const double v = channels[c] / 255.0;
      result[row] +=
          kMatrices[missing][row][c] * (v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4));
    }
  for (double& v : result) v = std::clamp(v, 0.0, 1.0);
  return result;
}

/// In Oklab (B. Ottosson, 2020), where black and white are 1 apart.
double difference(const std::array<double, 3>& a, const std::array<double, 3>& b) {
  const auto lab = [](const std::array<double, 3>& rgb) {
    const auto mix = [](const std::array<double, 3>& v, double x, double y, double z) {
      return x * v[0] + y * v[1] + z * v[2];
    };
    const std::array<double, 3> lms{std::cbrt(mix(rgb, 0.4122214708, 0.5363325363, 0.0514459929)),
                                    std::cbrt(mix(rgb, 0.2119034982, 0.6806995451, 0.1073969566)),
                                    std::cbrt(mix(rgb, 0.0883024619, 0.2817188376, 0.6299787005))};
    return std::array<double, 3>{mix(lms, 0.2104542553, 0.7936177850, -0.0040720468),
                                 mix(lms, 1.9779984951, -2.4285922050, 0.4505937099),
                                 mix(lms, 0.0259040371, 0.7827717662, -0.8086757660)};
  };
  const auto x = lab(a), y = lab(b);
  return std::hypot(x[0] - y[0], x[1] - y[1], x[2] - y[2]);
}

TEST(Scatter, ColoursAreToldApartWithoutACone) {
  for (int missing = 0; missing < 4; ++missing)
    for (int64_t i = 0; i < kColors; ++i)
      for (int64_t k = 0; k < i; ++k)
        EXPECT_GT(difference(seen(class_color(i), missing), seen(class_color(k), missing)), 0.06)
            << i << " and " << k << ", missing cone " << missing;
}

TEST(Scatter, WithoutLabelsThereIsNoLegend) {
  const Figure plain = scatter_figure(circle(200, 0)), labelled = scatter_figure(circle(200, 10));
  EXPECT_LT(plain.width, labelled.width);
  EXPECT_EQ(Recorder(plain).discs_.size(), 1u);
}

TEST(Scatter, ClassesWithoutAPointAreNotInTheLegend) {
  const Recorder drawn(scatter_figure({.points = {{0, 0}, {9, 9}, {NAN, 0}},
                                       .labels = {0, 1, 2},
                                       .class_names = {"inside", "outside", "nowhere"},
                                       .range = Range{-4, 4}}));
  EXPECT_EQ(drawn.count("inside"), 1);
  EXPECT_EQ(drawn.count("outside") + drawn.count("nowhere"), 0);
}

TEST(Scatter, FilesOfManyPointsAreSmall) {
  const Figure many = scatter_figure(circle(10000, 10)), few = scatter_figure(circle(1000, 10));
  EXPECT_LT(many.svg().size(), 700'000u);
  EXPECT_LT(many.pdf().size(), 500'000u);
  EXPECT_NE(many.svg().find("data:image/png"), std::string::npos);
  EXPECT_EQ(few.svg().find("data:image/png"), std::string::npos);
}

TEST(Scatter, FixedRangeHasItsTicksAndCountsWhatIsOutside) {
  const Recorder drawn(scatter_figure(
      {.points = {{0, 0}, {4, -4}, {4.1, 0}, {0, -7}, {NAN, 0}, {0, INFINITY}}, .range = Range{-4, 4}}));
  for (int tick = -4; tick <= 4; ++tick) EXPECT_EQ(drawn.count(std::to_string(tick)), 2) << tick;
  ASSERT_EQ(drawn.discs_.size(), 1u);
  EXPECT_EQ(drawn.discs_[0].at.size(), 2u);
  EXPECT_EQ(drawn.count("2 points outside, 2 not finite"), 1);
}

TEST(Scatter, UnitsAreEqualOnBothAxes) {
  // Points on a wide flat ellipse: a step of one unit must be as long in x as in y.
  const Recorder drawn(scatter_figure({.points = {{0, 0}, {100, 0}, {100, 100}, {-400, 5}}}));
  const std::vector<Point>& places = drawn.discs_.at(0).at;
  ASSERT_EQ(places.size(), 4u);
  EXPECT_NEAR(places[1].x - places[0].x, places[1].y - places[2].y, 1e-9);
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
  EXPECT_EQ(plots.count(plot_of(60)), 0u);
  const Figure figure = scatter_figure(circle(600, 60));
  const Recorder drawn(figure);
  for (int64_t label = 0; label < 60; ++label) EXPECT_GE(drawn.count(std::to_string(label)), 1) << label;
  EXPECT_FALSE(drawn.says(" more"));
  const Recorder further(scatter_figure({.points = {{0, 0}, {1, 1}}, .labels = {60, 61}}));
  EXPECT_EQ(further.discs_.size(), 2u) << "one grey group, and its mark";
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
    EXPECT_EQ(figure.svg().find("inf"), std::string::npos);
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
  const Recorder drawn(figure);
  for (const char* name : {"no class", "zero", "<one>", "941 further classes"})  // 60 to 999, and INT64_MAX
    EXPECT_EQ(drawn.count(name), 1) << name;
  EXPECT_LT(drawn.texts.size(), 100u);
  EXPECT_NO_THROW(figure.image(1));
}

}  // namespace
}  // namespace vae::report
