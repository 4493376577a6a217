#include "nn/report/canvas.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "nn/report/axes.h"
#include "nn/report/figure.h"
#include "nn/report/markup.h"
#include "nn/report/utf8.h"
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

/// Of a figure, `scale` pixels per length.
Image pixels_of(int width, int height, int scale, const Drawing& draw) {
  return Figure{width, height, draw}.image(scale);
}

TEST(Canvas, PrimitivesCoverWhatTheySay) {
  const Image image = pixels_of(20, 20, 2, [](Canvas& canvas) {
    const std::vector<Point> discs[] = {{{5, 5}}, {{5.5, 5}}};
    canvas.lines(discs, {.width = 6, .color = {0, 0, 0, 0.5}});
    canvas.rectangle({10.25, 10}, {5, 5}, {0, 0, 0});
    canvas.line({0, 18}, {20, 18}, {.width = 2, .color = {0, 0, 0}});
  });
  EXPECT_NEAR(red_at(image, 10, 10), 128, 1);  // overlapping, yet blended once
  EXPECT_EQ(red_at(image, 10, 20), 255);
  EXPECT_EQ(red_at(image, 25, 25), 0);
  EXPECT_NEAR(red_at(image, 20, 25), 128, 1);  // half a pixel
  EXPECT_EQ(red_at(image, 25, 30), 255);
  EXPECT_EQ(red_at(image, 20, 36), 0);
  EXPECT_EQ(red_at(image, 20, 39), 255);
}

double ink_of(const Image& image) {
  double area = 0;
  for (size_t i = 0; i < image.pixels.size(); i += 3) area += (255 - image.pixels[i]) / 255.0;
  return area;
}

TEST(Canvas, AreaOfAnObliqueLine) {
  const auto area = [](std::vector<double> dashes) {
    return ink_of(pixels_of(200, 100, 1, [&](Canvas& canvas) {
      canvas.line({20, 80}, {180, 20}, {.width = 4, .color = {0, 0, 0}, .dashes = dashes});
    }));
  };
  const double length = std::hypot(160, 60);
  EXPECT_NEAR(area({}), 4 * length + M_PI * 4, 4);  // with its round ends
  EXPECT_NEAR(area({5, 5}), 2 * length, 12);
}

TEST(Canvas, ColoursAndPlaces) {
  const Image image = pixels_of(30, 10, 1, [](Canvas& canvas) {
    canvas.move({10, 0});
    canvas.rectangle({0, 0}, {10, 10}, {250, 100, 7});
    canvas.pixels({10, 0}, {10, 10}, [](Canvas& inner) { inner.rectangle({10, 0}, {5, 10}, {1, 2, 3}); });
  });
  const auto at = [&](int x) {
    return std::vector(&image.pixels[3 * (150 + x)], &image.pixels[3 * (150 + x) + 3]);
  };
  EXPECT_EQ(at(5), (std::vector<uint8_t>{255, 255, 255}));
  EXPECT_EQ(at(15), (std::vector<uint8_t>{250, 100, 7}));
  EXPECT_EQ(at(22), (std::vector<uint8_t>{1, 2, 3}));
  EXPECT_EQ(at(27), (std::vector<uint8_t>{255, 255, 255}));
}

TEST(Canvas, DrawingOutsideIsHarmless) {
  const auto each = [](int red, const Drawing& draw) {
    for (const uint8_t value : pixels_of(10, 10, 1, draw).pixels) ASSERT_EQ(value, red);
  };
  each(255, [](Canvas& canvas) {
    for (const Point far : {Point{-1e9, 5}, {1e9, 5}, {5, -1e300}})
      canvas.line(std::span(&far, 1), {.width = 4});
    canvas.rectangle({-5, -5}, {2, 2}, kInk);
    canvas.text({500, 500}, "outside", {});
  });
  each(1, [](Canvas& canvas) { canvas.rectangle({-5, -5}, {100, 1e300}, {1, 1, 1}); });
  for (const int width : {-1, 100'000})
    expect_error(ErrorKind::internal, "cannot draw a figure",
                 [&] { pixels_of(width, 10, 1, [](Canvas&) {}); });
}

TEST(Canvas, TextStandsWhereItsAlignmentSays) {
  const auto columns = [](const TextStyle& style) {  // with ink: first, last
    const Image image = pixels_of(200, 200, 1, [&](Canvas& canvas) {
      canvas.text({100, 100}, "HHHH", style);
    });
    int first = 200, last = 0;
    for (int y = 0; y < 200; ++y)
      for (int x = 0; x < 200; ++x)
        if (red_at(image, x, y) < 128) first = std::min(first, x), last = std::max(last, x);
    return std::pair(first, last);
  };
  const double width = text_width("HHHH", 20);
  const auto [start, start_end] = columns({.size = 20});
  const auto [middle, middle_end] = columns({.size = 20, .align = Align::middle});
  const auto [end_start, end] = columns({.size = 20, .align = Align::end});
  const auto [up, up_end] = columns({.size = 20, .vertical = true});
  EXPECT_NEAR(start, 100, 4);
  EXPECT_NEAR(start_end, 100 + width, 4);
  EXPECT_NEAR(middle, 100 - width / 2, 4);
  EXPECT_NEAR(middle_end, 100 + width / 2, 4);
  EXPECT_NEAR(end_start, 100 - width, 4);
  EXPECT_NEAR(end, 100, 4);
  EXPECT_TRUE(up > 75 && up_end <= 101) << up << " " << up_end;
}

TEST(Text, WidthsAddUpAndGrowWithTheSize) {
  EXPECT_EQ(text_width("", 20), 0);
  EXPECT_NEAR(text_width("mm", 20), 2 * text_width("m", 20), 1e-6);
  EXPECT_NEAR(text_width("some words", 30), 3 * text_width("some words", 10), 1e-6);
  EXPECT_GT(text_width("\xFF\u4e2d", 12), 0);
}

TEST(Text, BrokenUtf8IsReplaced) {
  const auto first = [](std::string_view text) { return next_code_point(text); };
  EXPECT_EQ(first("\u00b1x"), U'\u00b1');
  EXPECT_EQ(first("\U0001F600"), U'\U0001F600');
  for (const std::string_view bad : {"\x80", "\xC3", "\xC3(", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80",
                                     "\xF4\x90\x80\x80", "\xFF", "\xF0\x9F\x98"})
    EXPECT_EQ(first(bad), kReplacement);
  EXPECT_EQ(characters_of("a\xff\n\u00e9\u2028"),
            (std::vector<std::string>{"a", "\uFFFD", "\uFFFD", "\u00e9", "\uFFFD"}));
  EXPECT_NO_THROW(pixels_of(9, 9, 1, [](Canvas& canvas) {
    canvas.text({0, 9}, std::string_view("\0\xff\x1b", 3), {});
  }));
}

TEST(Text, OfTooMuchIsShortened) {
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
  figure.write(directory / "a.pdf");
  EXPECT_EQ(test::read_text(directory / "a.pdf"), figure.pdf()) << "no dates";
  EXPECT_TRUE(figure.pdf().starts_with("%PDF"));
  EXPECT_EQ(test::read_text(directory / "a.svg"), figure.svg());
  EXPECT_TRUE(test::read_text(directory / "a.png").starts_with("\x89PNG"));
  EXPECT_EQ(figure.image(3).width, 90);
  test::expect_well_formed(figure.svg());
  expect_error(ErrorKind::usage, "a.gif", [&] { figure.write(directory / "a.gif"); });
  expect_error(ErrorKind::io, "no/a.svg", [&] { figure.write(directory / "no/a.svg"); });
  EXPECT_EQ(directory.entries(), 3u);
}

}  // namespace
}  // namespace vae::report
