#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "nn/report/confusion.h"
#include "nn/report/statistics.h"

namespace vae::report {
namespace {

constexpr double kLeft = 84, kTop = 92, kRight = 74, kBottom = 66, kLargestCell = 44, kLargestSide = 640;
constexpr double kLeastCellWithText = 40;
constexpr Color kNone = rgb(0xf3f4f6), kRightColor = rgb(0x1f5fbf), kWrongColor = rgb(0xc4320a);
constexpr TextStyle kSmall{.size = 12, .color = kMuted, .align = Align::middle};

Color mix(Color from, Color to, double t) {
  const auto channel = [t](uint8_t a, uint8_t b) {
    return static_cast<uint8_t>(std::lround(a + t * (b - a)));
  };
  return {channel(from.r, to.r), channel(from.g, to.g), channel(from.b, to.b)};
}

/// A count in at most five characters.
std::string short_count(int64_t count) {
  if (count < 100'000) return fmt::to_string(count);
  return count < 10'000'000 ? fmt::format("{}k", count / 1000) : fmt::format("{:.0e}", double(count));
}

struct HeatMap {
  Confusion confusion;
  std::string title;
  double cell, side;

  double middle(int k) const { return (k + 0.5) * cell; }

  void draw_row(Canvas& canvas, int label) const {
    const double gap = cell > 10 ? 1.5 : 0;
    int64_t row = 0;
    for (int k = 0; k < confusion.classes(); ++k) row += confusion.count(label, k);
    for (int k = 0; k < confusion.classes(); ++k) {
      const int64_t count = confusion.count(label, k);
      const double depth = row > 0 ? std::sqrt(double(count) / double(row)) : 0;
      const Point corner{kLeft + k * cell, kTop + label * cell};
      canvas.rectangle(corner, {cell - gap, cell - gap},
                       mix(kNone, label == k ? kRightColor : kWrongColor, depth));
      if (cell < kLeastCellWithText || count == 0) continue;
      canvas.text({corner.x + (cell - gap) / 2, corner.y + (cell - gap) / 2 + 4.5}, short_count(count),
                  {.color = depth > 0.55 ? kPaper : kInk, .align = Align::middle});
    }
  }

  void draw_class_numbers(Canvas& canvas) const {
    const int stride = std::max(1, static_cast<int>(std::ceil(26 / cell)));
    for (int k = 0; k < confusion.classes(); k += stride) {
      canvas.text({kLeft + middle(k), kTop - 9}, fmt::to_string(k), kSmall);
      canvas.text({kLeft - 16, kTop + middle(k) + 4}, fmt::to_string(k), kSmall);
    }
  }

  void draw_rates(Canvas& canvas) const {
    const double right = kLeft + side + 36, below = kTop + side + 20;
    canvas.text({right, kTop - 9}, "recall", kSmall);
    canvas.text({kLeft - 38, below}, "precision", kSmall);
    for (int k = 0; k < confusion.classes(); ++k) {
      canvas.text({right, kTop + middle(k) + 4}, percent(confusion.recall(k)), kSmall);
      canvas.text({kLeft + middle(k), below}, percent(confusion.precision(k)), kSmall);
    }
  }

  void draw(Canvas& canvas) const {
    canvas.text({kLeft, 30}, fit_text(title, 17, side + kRight - 12), {.size = 17, .bold = true});
    canvas.text({kLeft + side / 2, kTop - 30}, "predicted", {.size = 14, .align = Align::middle});
    canvas.text({kLeft - 44, kTop + side / 2}, "true",
                {.size = 14, .align = Align::middle, .vertical = true});
    for (int label = 0; label < confusion.classes(); ++label) draw_row(canvas, label);
    draw_class_numbers(canvas);
    if (cell >= kLeastCellWithText) draw_rates(canvas);
    canvas.text({kLeft + side / 2, kTop + side + 50}, "accuracy " + percent(confusion.accuracy()),
                {.size = 14, .align = Align::middle});
  }
};

}  // namespace

Figure Confusion::figure(const std::string& title) const {
  const double cell = std::min(kLargestCell, kLargestSide / classes_);
  const HeatMap map{*this, title, cell, cell * classes_};
  const double width = std::max(kLeft + map.side + kRight, 320.0);
  return {static_cast<int>(std::ceil(width)), static_cast<int>(std::ceil(kTop + map.side + kBottom)),
          [map](Canvas& canvas) { map.draw(canvas); }};
}

}  // namespace vae::report
