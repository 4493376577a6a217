#include "nn/report/canvas.h"

#include <gtest/gtest.h>

#include <cmath>

#include "nn/report/axes.h"
#include "nn/report/figure.h"
#include "nn/report/markup.h"
#include "nn/report/raster_canvas.h"
#include "nn/report/stroke_font.h"
#include "nn/report/svg_canvas.h"
#include "tests/expect_error.h"
#include "tests/nn/report/well_formed.h"
#include "tests/read_text.h"
#include "tests/temporary_directory.h"

namespace vae::report {
namespace {

using test::expect_error;

int red_at(const Image& image, int x, int y) { return image.pixels[(y * image.width + x) * 3]; }

std::vector<std::string> labels(const Axis& axis) {
  std::vector<std::string> labels;
  for (const Tick& tick : axis.ticks()) labels.push_back(tick.label);
  return labels;
}

using Labels = std::vector<std::string>;

TEST(Axis, TicksAreRound) {
  EXPECT_EQ(labels(Axis::linear({-4, 4}, 9)), (Labels{"-4", "-3", "-2", "-1", "0", "1", "2", "3", "4"}));
  EXPECT_EQ(labels(Axis::linear({0.7512, 0.9031}, 6)), (Labels{"0.80", "0.85", "0.90"}));
  EXPECT_EQ(labels(Axis::linear({0, 30000}, 8)),
            (Labels{"0", "5000", "10000", "15000", "20000", "25000", "30000"}));
  EXPECT_EQ(labels(Axis::linear({-1e-9, 1e-9}, 3)), (Labels{"-1e-09", "0", "1e-09"}));
  EXPECT_EQ(labels(Axis::linear({0, 4e6}, 5)), (Labels{"0", "1e+06", "2e+06", "3e+06", "4e+06"}));
  EXPECT_EQ(labels(Axis::logarithmic({0.001, 1000}, 7)),
            (Labels{"0.001", "0.01", "0.1", "1", "10", "100", "1000"}));
  EXPECT_EQ(labels(Axis::logarithmic({40, 600}, 7)), (Labels{"50", "100", "200", "500"}));
}

TEST(Axis, HostileRanges) {
  for (const Range range : {Range{0, 0},
                            {5, 5},
                            {-3, -3},
                            {1e300, 1e300},
                            {-1e300, 1e300},
                            {0, 5e-324},
                            {5e-324, 5e-324},
                            {1e16, 1e16 + 2},
                            {-1e-300, 1e-300},
                            {1, 1 + 1e-15},
                            {0, 1e-289},
                            {-1e300, 0}}) {
    const Axis axis = Axis::linear(range, 8);
    EXPECT_GE(axis.ticks().size(), 1u) << range.low << " " << range.high;
    EXPECT_LE(axis.ticks().size(), 12u) << range.low << " " << range.high;
    EXPECT_TRUE(std::isfinite(axis.position(range.low)) && std::isfinite(axis.position(range.high)))
        << range.low;
    for (size_t i = 1; i < axis.ticks().size(); ++i)
      EXPECT_NE(axis.ticks()[i - 1].label, axis.ticks()[i].label);
  }
  for (const Range range : {Range{1, 1}, {1e-300, 1e300}, {1e300, 1e300}, {1e-300, 1e-300}, {1, 1.5}}) {
    const Axis axis = Axis::logarithmic(range, 7);
    EXPECT_LE(axis.ticks().size(), 12u);
    EXPECT_TRUE(std::isfinite(axis.position(range.low)) && std::isfinite(axis.position(range.high)));
  }
  expect_error(ErrorKind::internal, "axis from 1 to 0", [] { Axis::linear({1, 0}, 5); });
  expect_error(ErrorKind::internal, "axis from nan", [] { Axis::linear({NAN, 0}, 5); });
  expect_error(ErrorKind::internal, "inf", [] { Axis::linear({0, INFINITY}, 5); });
  expect_error(ErrorKind::internal, "logarithmic axis from 0", [] { Axis::logarithmic({0, 1}, 5); });
}

TEST(Axis, RangeIgnoresWhatCannotBeDrawn) {
  const double values[] = {NAN, 3, INFINITY, -1, -INFINITY, 1e305};
  const auto range = range_of(values);
  ASSERT_TRUE(range);
  EXPECT_EQ(range->low, -1);
  EXPECT_EQ(range->high, 3);
  EXPECT_FALSE(range_of(std::span(values, 1)));
}

TEST(RasterCanvas, PrimitivesCoverWhatTheySay) {
  RasterCanvas canvas(20, 20, 2);
  const Point centres[] = {{5, 5}, {5.5, 5}};
  canvas.discs(centres, 3, {0, 0, 0, 0.5});
  EXPECT_NEAR(red_at(canvas.image(), 10, 10), 128, 1);  // overlapping, yet blended once
  EXPECT_EQ(red_at(canvas.image(), 10, 20), 255);
  canvas.rectangle({10.25, 10}, {5, 5}, {0, 0, 0});
  EXPECT_EQ(red_at(canvas.image(), 25, 25), 0);
  EXPECT_NEAR(red_at(canvas.image(), 20, 25), 128, 1);  // half a pixel
  EXPECT_EQ(red_at(canvas.image(), 25, 30), 255);
  canvas.line({0, 18}, {20, 18}, 2, {0, 0, 0});
  EXPECT_EQ(red_at(canvas.image(), 20, 36), 0);
  EXPECT_EQ(red_at(canvas.image(), 20, 39), 255);
}

TEST(RasterCanvas, AreaOfAnObliqueLine) {
  RasterCanvas canvas(200, 100, 1);
  canvas.line({20, 80}, {180, 20}, 4, {0, 0, 0});
  double area = 0;
  for (size_t i = 0; i < canvas.image().pixels.size(); i += 3)
    area += (255 - canvas.image().pixels[i]) / 255.0;
  EXPECT_NEAR(area, 4 * std::hypot(160, 60) + M_PI * 4, 4);  // with its round caps
}

TEST(RasterCanvas, DrawingOutsideIsHarmless) {
  RasterCanvas canvas(10, 10, 1);
  const Point far[] = {{-1e9, 5}, {1e9, 5}, {5, -1e300}};
  canvas.discs(far, 2, kInk);
  canvas.rectangle({-5, -5}, {2, 2}, kInk);
  canvas.text({500, 500}, "outside", {});
  for (const uint8_t value : canvas.image().pixels) ASSERT_EQ(value, 255);
  canvas.rectangle({-5, -5}, {100, 100}, {1, 1, 1});
  for (const uint8_t value : canvas.image().pixels) ASSERT_EQ(value, 1);
  expect_error(ErrorKind::internal, "0 x 10", [] { RasterCanvas(0, 10, 1); });
  expect_error(ErrorKind::internal, "100000 x 10", [] { RasterCanvas(100000, 10, 1); });
}

TEST(StrokeFont, EveryGlyphStaysInItsCell) {
  for (char c = '!'; c <= '~'; ++c) {
    const std::string text(1, c);
    const auto strokes = text_strokes(text, 20);
    EXPECT_FALSE(strokes.empty()) << c;
    for (const auto& stroke : strokes) {
      EXPECT_GE(stroke.size(), 2u) << c;
      for (const Point& point : stroke) {
        EXPECT_TRUE(point.x >= 0 && point.x <= text_width(text, 20) + 1e-9) << c << " x " << point.x;
        EXPECT_TRUE(point.y >= -17 && point.y <= 5) << c << " y " << point.y;
      }
    }
  }
  EXPECT_EQ(text_width("", 20), 0);
  EXPECT_GT(text_width("mm", 20), 2 * text_width("m", 20));
}

TEST(StrokeFont, BrokenUtf8IsReplaced) {
  const auto first = [](std::string_view text) { return next_code_point(text); };
  EXPECT_EQ(first("\u00b1x"), U'\u00b1');
  EXPECT_EQ(first("\U0001F600"), U'\U0001F600');
  for (const std::string_view bad : {"\x80", "\xC3", "\xC3(", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80",
                                     "\xF4\x90\x80\x80", "\xFF", "\xF0\x9F\x98"})
    EXPECT_EQ(first(bad), kReplacement);
  EXPECT_FALSE(text_strokes("\xFF\u4e2d", 12).empty());
}

TEST(Canvas, LongTextIsShortened) {
  EXPECT_EQ(fit_text("short", 12, 100), "short");
  const std::string fitted = fit_text(std::string(1000, 'x'), 12, 100);
  EXPECT_TRUE(fitted.ends_with("\u2026"));
  EXPECT_LE(text_width(fitted, 12), 100);
  EXPECT_GT(text_width(fitted, 12), 80);
  std::string accents;
  for (int i = 0; i < 100; ++i) accents += "\u00e9";
  const std::string shortened = fit_text(accents, 12, 100);
  for (std::string_view rest = shortened; !rest.empty();) ASSERT_NE(next_code_point(rest), kReplacement);
}

TEST(Markup, EscapesEverything) {
  EXPECT_EQ(escape_markup("<a href=\"x\">'&'</a>"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
  EXPECT_EQ(escape_markup(std::string_view("a\0b\x1b[1m\xff", 8)), "a\uFFFDb\uFFFD[1m\uFFFD");
  EXPECT_EQ(escape_markup("0.90 \u00b1 0.01\n\t"), "0.90 \u00b1 0.01\n\t");
}

TEST(Markup, Base64OfTheStandard) {
  const auto encode = [](std::string_view text) { return base64(std::as_bytes(std::span(text))); };
  EXPECT_EQ(encode(""), "");
  EXPECT_EQ(encode("f"), "Zg==");
  EXPECT_EQ(encode("fo"), "Zm8=");
  EXPECT_EQ(encode("foo"), "Zm9v");
  EXPECT_EQ(encode("foob"), "Zm9vYg==");
  EXPECT_EQ(encode("fooba"), "Zm9vYmE=");
  EXPECT_EQ(encode("foobar"), "Zm9vYmFy");
  EXPECT_EQ(encode("\xFF\xFE\xFD"), "//79");
}

TEST(Figure, WritesByExtension) {
  const test::TemporaryDirectory directory;
  const Figure figure{30, 20, [](Canvas& canvas) { canvas.text({5, 15}, "<&>", {.vertical = true}); }};
  figure.write(directory / "a.svg");
  figure.write(directory / "a.png");
  EXPECT_EQ(test::read_text(directory / "a.svg"), figure.svg());
  EXPECT_TRUE(test::read_text(directory / "a.png").starts_with("\x89PNG"));
  EXPECT_EQ(figure.image(3).width, 90);
  test::expect_well_formed(figure.svg());
  expect_error(ErrorKind::usage, "a.gif", [&] { figure.write(directory / "a.gif"); });
  expect_error(ErrorKind::io, "no/a.svg", [&] { figure.write(directory / "no/a.svg"); });
  EXPECT_EQ(directory.entries(), 2u);
}

}  // namespace
}  // namespace vae::report
