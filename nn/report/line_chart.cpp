#include "nn/report/line_chart.h"

#include <algorithm>
#include <cmath>

#include "nn/report/axes.h"
#include "tensor/error.h"

namespace vae::report {
namespace {

constexpr double kWidth = 560, kPlotHeight = 260, kBelow = 64, kCurve = 1.8, kLegendLine = 2.5;
constexpr size_t kRunsPerCurve = 250;  // of four points: two a pixel

using Curve = std::vector<Point>;

/// The curve cut at its gaps.
std::vector<Curve> pieces_of(const Series& series, bool log_y) {
  std::vector<Curve> pieces(1);
  for (size_t i = 0; i < series.x.size(); ++i) {
    const double x = series.x[i], y = series.y[i];
    if (drawable(x) && drawable(y) && (!log_y || y >= 1 / kLargestDrawable))
      pieces.back().push_back({x, y});
    else if (!pieces.back().empty())
      pieces.emplace_back();
  }
  if (pieces.back().empty()) pieces.pop_back();
  return pieces;
}

/// First, lowest, highest and last point of every run of points.
Curve thinned(const Curve& curve) {
  const size_t run = curve.size() / kRunsPerCurve;
  if (run <= 4) return curve;
  Curve result;
  for (size_t begin = 0; begin < curve.size(); begin += run) {
    const auto first = curve.begin() + begin, last = curve.begin() + std::min(begin + run, curve.size());
    auto [low, high] = std::minmax_element(first, last, [](Point a, Point b) { return a.y < b.y; });
    if (high < low) std::swap(low, high);
    result.insert(result.end(), {*first, *low, *high, *(last - 1)});
  }
  return result;
}

/// A little room above and below; on a logarithmic axis by a factor.
Range with_air(Range range, bool log) {
  if (log) {
    const double air = std::min(std::pow(range.high / range.low, 0.04), 10.0);
    return {std::max(range.low / air, 1 / kLargestDrawable), std::min(range.high * air, kLargestDrawable)};
  }
  const double air = 0.04 * (range.high - range.low);
  return {std::max(range.low - air, -kLargestDrawable), std::min(range.high + air, kLargestDrawable)};
}

struct Plot {
  std::vector<std::vector<Curve>> curves;  // per series, per piece
  Axis x, y;
  bool empty;
};

Plot plot_of(const LineChart& chart) {
  std::vector<std::vector<Curve>> curves;
  std::vector<double> xs, ys;
  for (const Series& series : chart.series) {
    VAE_CHECK(series.x.size() == series.y.size(), "series '{}' has {} x and {} y", series.name,
              series.x.size(), series.y.size());
    curves.push_back(pieces_of(series, chart.log_y));
    for (Curve& piece : curves.back()) {
      piece = thinned(piece);
      for (const Point& point : piece) {
        xs.push_back(point.x);
        ys.push_back(point.y);
      }
    }
  }
  const Range x = range_of(xs).value_or(Range{0, 1}),
              y = range_of(ys).value_or(chart.log_y ? Range{0.1, 1} : Range{0, 1});
  const Range room = with_air(y, chart.log_y);
  return {std::move(curves), Axis::linear(x, 8),
          chart.log_y ? Axis::logarithmic(room, 7) : Axis::linear(room, 7), xs.empty()};
}

void draw_curves(Canvas& canvas, const Frame& frame, const std::vector<Curve>& pieces, const Pen& pen) {
  for (const Curve& piece : pieces) {
    Curve placed;
    for (const Point& point : piece) placed.push_back(frame.place(point));
    canvas.line(placed, placed.size() == 1 ? Pen{6, pen.color} : pen);
  }
}

}  // namespace

Figure line_chart_figure(LineChart chart) {
  Plot plot = plot_of(chart);
  std::vector<LegendEntry> legend;
  if (chart.series.size() > 1)
    for (size_t i = 0; i < chart.series.size(); ++i)
      if (!plot.curves[i].empty()) legend.push_back({chart.series[i].name, curve_pen(i, kLegendLine)});
  const double left = left_margin(plot.y, !chart.y_label.empty());
  const double room = kWidth - left - kRightMargin;
  const bool above = title_width(chart.title) + kRightMargin + legend_row_width(legend) <= room;
  const double legend_room = above ? 0 : legend_width(legend, kPlotHeight) + kRightMargin;
  const Frame frame{{left, kTopMargin}, {room - legend_room, kPlotHeight}, plot.x, plot.y};
  const FrameLabels labels{chart.title, chart.x_label, chart.y_label};
  const auto draw = [curves = std::move(plot.curves), empty = plot.empty, legend, above, frame,
                     labels](Canvas& canvas) {
    draw_frame(canvas, frame, labels);
    for (size_t i = 0; i < curves.size(); ++i) draw_curves(canvas, frame, curves[i], curve_pen(i, kCurve));
    if (empty)
      canvas.text({frame.corner.x + frame.size.x / 2, kTopMargin + kPlotHeight / 2}, "no data",
                  {.size = 16, .color = kMuted, .align = Align::middle});
    const double end = frame.corner.x + frame.size.x;
    if (above)
      draw_legend_row(canvas, {end, kTopMargin - 21}, legend);
    else
      draw_legend(canvas, {end + kRightMargin, kTopMargin}, kPlotHeight, legend);
  };
  return {static_cast<int>(kWidth), static_cast<int>(kTopMargin + kPlotHeight + kBelow), draw};
}

}  // namespace vae::report
