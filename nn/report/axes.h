#pragma once
// Axes with round ticks, the frame of a plot, and its legend.
#include <optional>
#include <string>
#include <vector>

#include "nn/report/classes.h"

namespace vae::report {

struct Range {
  double low = 0, high = 1;
};

/// Values beyond this are not drawn: differences of drawable values must not overflow.
inline constexpr double kLargestDrawable = 1e300;
/// Finite and small enough to be drawn.
bool drawable(double value);

/// The smallest range that holds all drawable `values`; none if there are none.
std::optional<Range> range_of(std::span<const double> values);

struct Tick {
  double value;
  std::string label;
};

class Axis {
 public:
  /// A linear axis over exactly `range`, widened where it is empty, with ticks at multiples of 1, 2 or 5
  /// times a power of ten. Throws Error(internal) unless both ends are drawable and low <= high.
  static Axis linear(Range range, int most_ticks);
  /// A decimal logarithmic axis; `range.low` must be at least 1 / kLargestDrawable.
  static Axis logarithmic(Range range, int most_ticks);

  /// Where a value lies: 0 at the low end, 1 at the high end.
  double position(double value) const;
  const Range& range() const { return range_; }
  const std::vector<Tick>& ticks() const { return ticks_; }

 private:
  Range range_;
  bool log_ = false;
  std::vector<Tick> ticks_;
};

/// The rectangle of a plot with its two axes.
struct Frame {
  Point corner, size;
  Axis x, y;

  Point place(Point value) const {
    return {corner.x + size.x * x.position(value.x), corner.y + size.y * (1 - y.position(value.y))};
  }
};

struct FrameLabels {
  std::string title, x, y;
};

/// Room around a frame, in pixels, but for what its labels need to the left.
inline constexpr double kTopMargin = 52, kRightMargin = 24, kBottomMargin = 76;
/// Room that the y axis's tick labels and label need to the left of a frame.
double left_margin(const Axis& y, bool has_label);
double title_width(const std::string& title);
void draw_frame(Canvas& canvas, const Frame& frame, const FrameLabels& labels);

struct LegendEntry {
  std::string name;
  Pen pen;
  std::optional<MarkShape> shape = {};  ///< in the pen's colour; none: a line
};

/// Width of a legend (0 without entries) in columns of `height`. Names longer than a limit are shortened.
double legend_width(const std::vector<LegendEntry>& entries, double height);
/// Width of the entries in one row above a plot.
double legend_row_width(const std::vector<LegendEntry>& entries);
/// Draws them in one row that ends there.
void draw_legend_row(Canvas& canvas, Point end, const std::vector<LegendEntry>& entries);
/// Draws at most as many entries as fit into three columns; the last line then says how many more there are.
void draw_legend(Canvas& canvas, Point corner, double height, const std::vector<LegendEntry>& entries);

}  // namespace vae::report
