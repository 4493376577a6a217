#include "nn/report/axes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tensor/error.h"

namespace vae::report {
namespace {

constexpr double kTickSize = 12, kLabelSize = 13, kTitleSize = 16;
constexpr double kLegendRow = 20, kLegendText = 12, kLegendMark = 26, kLegendNameWidth = 150, kLegendGap = 16;
constexpr size_t kLegendColumns = 3;

/// The least of 1, 2, 5 times a power of ten that cuts `span` into at most `pieces`.
double round_step(double span, int pieces) {
  const double power = std::pow(10.0, std::floor(std::log10(span / pieces)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (span <= factor * power * pieces * (1 + 1e-9)) return factor * power;
  return 10 * power;
}

/// Enough digits to tell neighbours apart; plain notation for everyday magnitudes.
std::string tick_label(double value, double step, double largest) {
  if (std::abs(value) < step * 1e-6) return "0";
  const int step_exponent = static_cast<int>(std::floor(std::log10(step) + 1e-9));
  if (largest < 1e6 && step_exponent >= -6) return fmt::format("{:.{}f}", value, std::max(0, -step_exponent));
  const int digits = static_cast<int>(std::floor(std::log10(largest))) - step_exponent + 1;
  return fmt::format("{:.{}g}", value, std::clamp(digits, 1, 15));
}

/// The range itself, or one around it if it is too narrow for ticks that differ.
Range widened(Range range) {
  constexpr double kLeastSpan = 1e-290;
  const double magnitude = std::max(std::abs(range.low), std::abs(range.high));
  if (range.high - range.low > std::max(1e-9 * magnitude, kLeastSpan)) return range;
  const double half = std::max(0.05 * magnitude, magnitude > kLeastSpan ? kLeastSpan : 1.0);
  const double centre = 0.5 * range.low + 0.5 * range.high;
  return {centre - half, centre + half};
}

}  // namespace

bool drawable(double value) { return std::abs(value) <= kLargestDrawable; }  // false for NaN

std::optional<Range> range_of(std::span<const double> values) {
  std::optional<Range> range;
  for (const double value : values) {
    if (!drawable(value)) continue;
    if (!range) range = Range{value, value};
    range->low = std::min(range->low, value);
    range->high = std::max(range->high, value);
  }
  return range;
}

Axis Axis::linear(Range range, int most_ticks) {
  VAE_CHECK(drawable(range.low) && drawable(range.high) && range.low <= range.high, "axis from {} to {}",
            range.low, range.high);
  Axis axis;
  axis.range_ = widened(range);
  const auto [low, high] = axis.range_;
  const double step = round_step(high - low, std::max(1, most_ticks - 1)),
               largest = std::max(std::abs(low), std::abs(high));
  const double slack = 1e-9 * (high - low);
  for (double index = std::ceil((low - slack) / step); index * step <= high + slack; ++index)
    axis.ticks_.push_back({index * step, tick_label(index * step, step, largest)});
  return axis;
}

Axis Axis::logarithmic(Range range, int most_ticks) {
  VAE_CHECK(range.low >= 1 / kLargestDrawable && drawable(range.high) && range.low <= range.high,
            "logarithmic axis from {} to {}", range.low, range.high);
  Axis axis;
  axis.log_ = true;
  axis.range_ = range.high > range.low * 1.001 ? range : Range{range.low / 2, range.high * 2};
  const auto [low, high] = axis.range_;
  const int first = static_cast<int>(std::floor(std::log10(low))),
            last = static_cast<int>(std::ceil(std::log10(high)));
  const bool fine = last - first <= 2;  // few decades: also 2 and 5
  const int stride = std::max(1, (last - first + most_ticks - 1) / std::max(1, most_ticks));
  for (int exponent = first; exponent <= last; exponent += stride)
    for (const double factor : fine ? std::vector{1.0, 2.0, 5.0} : std::vector{1.0}) {
      const double value = factor * std::pow(10.0, exponent);
      if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9))
        axis.ticks_.push_back({value, fmt::format("{:.6g}", value)});
    }
  return axis;
}

double Axis::position(double value) const {
  if (log_) return (std::log(value) - std::log(range_.low)) / (std::log(range_.high) - std::log(range_.low));
  return (value - range_.low) / (range_.high - range_.low);
}

double left_margin(const Axis& y, bool has_label) {
  double widest = 0;
  for (const Tick& tick : y.ticks()) widest = std::max(widest, text_width(tick.label, kTickSize));
  return 28 + widest + (has_label ? kLabelSize + 12 : 0);
}

double title_width(const std::string& title) { return text_width(title, kTitleSize * 1.1); }  // it is bold

void draw_frame(Canvas& canvas, const Frame& frame, const FrameLabels& labels) {
  const Point low = frame.corner, high{low.x + frame.size.x, low.y + frame.size.y};
  for (const Tick& tick : frame.x.ticks()) {
    const double x = low.x + frame.size.x * frame.x.position(tick.value);
    canvas.line({x, low.y}, {x, high.y}, {.color = kRule});
    canvas.text({x, high.y + kTickSize + 8}, tick.label,
                {.size = kTickSize, .color = kMuted, .align = Align::middle});
  }
  for (const Tick& tick : frame.y.ticks()) {
    const double y = high.y - frame.size.y * frame.y.position(tick.value);
    canvas.line({low.x, y}, {high.x, y}, {.color = kRule});
    canvas.text({low.x - 9, y + 0.35 * kTickSize}, tick.label,
                {.size = kTickSize, .color = kMuted, .align = Align::end});
  }
  const Point outline[] = {{low.x, low.y}, {low.x, high.y}, {high.x, high.y}};
  canvas.line(outline, {.color = kMuted});
  canvas.text({low.x, low.y - 16}, fit_text(labels.title, kTitleSize, frame.size.x),
              {.size = kTitleSize, .bold = true});
  canvas.text({(low.x + high.x) / 2, high.y + kTickSize + kLabelSize + 18},
              fit_text(labels.x, kLabelSize, frame.size.x), {.size = kLabelSize, .align = Align::middle});
  canvas.text({low.x - left_margin(frame.y, true) + kLabelSize + 10, (low.y + high.y) / 2},
              fit_text(labels.y, kLabelSize, frame.size.y),
              {.size = kLabelSize, .align = Align::middle, .vertical = true});
}

namespace {

size_t legend_rows(double height) {
  return static_cast<size_t>(std::max(1.0, std::floor(height / kLegendRow)));
}

std::string shown_name(const LegendEntry& entry) {
  return fit_text(entry.name, kLegendText, kLegendNameWidth);
}

double entry_width(const LegendEntry& entry) {
  return kLegendMark + text_width(shown_name(entry), kLegendText);
}

/// Of one column.
double column_width(const std::vector<LegendEntry>& entries) {
  double widest = 0;
  for (const LegendEntry& entry : entries) widest = std::max(widest, entry_width(entry));
  return widest;
}

/// An entry whose left edge has its middle there.
void draw_entry(Canvas& canvas, Point at, const LegendEntry& entry) {
  const Point centre[] = {{at.x + 8, at.y}};
  if (entry.shape)
    draw_marks(canvas, centre, *entry.shape, 5, entry.pen.color);
  else
    canvas.line(at, {at.x + 18, at.y}, entry.pen);
  canvas.text({at.x + kLegendMark, at.y + 0.35 * kLegendText}, shown_name(entry), {.size = kLegendText});
}

}  // namespace

double legend_width(const std::vector<LegendEntry>& entries, double height) {
  const size_t rows = legend_rows(height);
  const size_t columns = std::min(kLegendColumns, (entries.size() + rows - 1) / rows);
  if (columns == 0) return 0;
  return static_cast<double>(columns) * column_width(entries) + static_cast<double>(columns - 1) * kLegendGap;
}

double legend_row_width(const std::vector<LegendEntry>& entries) {
  double width = 0;
  for (const LegendEntry& entry : entries) width += entry_width(entry) + (width > 0 ? kLegendGap : 0);
  return width;
}

void draw_legend_row(Canvas& canvas, Point end, const std::vector<LegendEntry>& entries) {
  Point at{end.x - legend_row_width(entries), end.y};
  for (const LegendEntry& entry : entries) {
    draw_entry(canvas, at, entry);
    at.x += entry_width(entry) + kLegendGap;
  }
}

void draw_legend(Canvas& canvas, Point corner, double height, const std::vector<LegendEntry>& entries) {
  const size_t rows = legend_rows(height), places = kLegendColumns * rows;
  const size_t shown = entries.size() <= places ? entries.size() : places - 1;
  const auto place = [&, width = column_width(entries) + kLegendGap](size_t i) {
    return Point{corner.x + static_cast<double>(i / rows) * width,
                 corner.y + (static_cast<double>(i % rows) + 0.5) * kLegendRow};
  };
  for (size_t i = 0; i < shown; ++i) draw_entry(canvas, place(i), entries[i]);
  if (shown < entries.size())
    canvas.text({place(shown).x, place(shown).y + 0.35 * kLegendText},
                fmt::format("+ {} more", entries.size() - shown), {.size = kLegendText, .color = kMuted});
}

}  // namespace vae::report
