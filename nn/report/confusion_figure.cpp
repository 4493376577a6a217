#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "nn/report/confusion.h"
#include "nn/report/statistics.h"

namespace vae::report {
namespace {

constexpr double kMapLeft = 84, kMapTop = 92, kMapRight = 74, kMapBottom = 66, kLargestCell = 52, kLargestSide = 640;
constexpr double kLeastCellWithText = 40, kNameWidth = 120, kNumberWidth = 14;
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
  int shown;         // classes
  double cell;       // width of one
  double name_room;  // that names need beyond numbers
  double side = cell * shown, left = kMapLeft + name_room, top = kMapTop + name_room;

  double middle(int k) const { return (k + 0.5) * cell; }

  void draw_row(Canvas& canvas, int label) const {
    const double gap = cell > 10 ? 1.5 : 0;
    const auto row = static_cast<double>(confusion.samples(label));
    for (int k = 0; k < shown; ++k) {
      const int64_t count = confusion.count(label, k);
      const double depth = row > 0 ? std::sqrt(double(count) / row) : 0;
      const Point corner{left + k * cell, top + label * cell};
      canvas.rectangle(corner, {cell - gap, cell - gap},
                       mix(kNone, label == k ? kRightColor : kWrongColor, depth));
      if (cell < kLeastCellWithText || count == 0) continue;
      canvas.text({corner.x + (cell - gap) / 2, corner.y + (cell - gap) / 2 + 4.5}, short_count(count),
                  {.color = depth > 0.55 ? kPaper : kInk, .align = Align::middle});
    }
  }

  std::string name(int k) const { return fit_text(confusion.name(k), kSmall.size, kNameWidth); }

  void draw_class_names(Canvas& canvas) const {
    const bool named = confusion.has_names();
    const int stride = std::max(1, static_cast<int>(std::ceil((named ? 13 : 26) / cell)));
    TextStyle across = kSmall, down = kSmall;
    if (named) across.align = Align::end, down.align = Align::start, down.vertical = true;
    for (int k = 0; k < shown; k += stride) {
      canvas.text({left + middle(k) + (named ? 4 : 0), top - 9}, name(k), down);
      canvas.text({left - (named ? 8 : 16), top + middle(k) + 4}, name(k), across);
    }
  }

  void draw_rates(Canvas& canvas) const {
    const double right = left + side + 36, below = top + side + 20;
    canvas.text({right, top - 9}, "recall", kSmall);
    canvas.text({left - 38, below}, "precision", kSmall);
    for (int k = 0; k < shown; ++k) {
      canvas.text({right, top + middle(k) + 4}, percent(confusion.recall(k)), kSmall);
      canvas.text({left + middle(k), below}, percent(confusion.precision(k)), kSmall);
    }
  }

  void draw(Canvas& canvas) const {
    const std::string part = shown_of(shown, confusion.classes());
    canvas.text({kMapLeft, 30}, fit_text(title, 17, side + kMapRight - 12), {.size = 17, .bold = true});
    canvas.text({left + side / 2, kMapTop - 36}, "predicted", {.size = 14, .align = Align::middle});
    canvas.text({kMapLeft - 44, top + side / 2}, "true", {.size = 14, .align = Align::middle, .vertical = true});
    const Drawing cells = [this](Canvas& on) {
      for (int label = 0; label < shown; ++label) draw_row(on, label);
    };
    if (shown > Confusion::kMostMatrixClasses)
      canvas.pixels({left, top}, {side, side}, cells);
    else
      cells(canvas);
    draw_class_names(canvas);
    if (cell >= kLeastCellWithText) draw_rates(canvas);
    canvas.text({left + side / 2, top + side + 50},
                "accuracy " + percent(confusion.accuracy()) + (part.empty() ? "" : "; shown: " + part),
                {.size = 14, .align = Align::middle});
  }
};

}  // namespace

Figure Confusion::figure(const std::string& title) const {
  const int shown = std::min<int>(classes_, kMostTableClasses);
  double widest = 0;
  for (int k = 0; has_names() && k < shown; ++k)
    widest = std::max(widest, text_width(fit_text(name(k), kSmall.size, kNameWidth), kSmall.size));
  const HeatMap map{*this, title, shown, std::min(kLargestCell, kLargestSide / shown),
                    std::max(0.0, widest - kNumberWidth)};
  const double width = std::max(map.left + map.side + kMapRight, 320.0);
  return {static_cast<int>(std::ceil(width)), static_cast<int>(std::ceil(map.top + map.side + kMapBottom)),
          [map](Canvas& canvas) { map.draw(canvas); }};
}

}  // namespace vae::report
