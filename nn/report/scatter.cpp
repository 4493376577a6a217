#include "nn/report/scatter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "tensor/error.h"

namespace vae::report {
namespace {

constexpr double kPlotSize = 480;
constexpr int kMostTicks = 9;
constexpr size_t kMostMarks = 2000;              // of more, pixels are the smaller file
constexpr int64_t kNoClass = -1, kFurther = -2;  // groups of points, both grey

/// A square around all points with a little air.
std::pair<Range, Range> square_around(const std::vector<Point>& points) {
  std::vector<double> xs, ys;
  for (const Point& point : points)
    if (drawable(point.x) && drawable(point.y)) {
      xs.push_back(point.x);
      ys.push_back(point.y);
    }
  const Range x = range_of(xs).value_or(Range{-1, 1}), y = range_of(ys).value_or(Range{-1, 1});
  double half = 0.53 * std::max(x.high - x.low, y.high - y.low);
  if (half == 0) half = 1;
  const auto around = [&](Range range) {
    const double centre = 0.5 * range.low + 0.5 * range.high;
    return Range{std::max(centre - half, -kLargestDrawable), std::min(centre + half, kLargestDrawable)};
  };
  return {around(x), around(y)};
}

/// The points that can be seen, by label (one group without labels), and how many cannot. Classes beyond
/// those that marks tell apart are one group.
struct Groups {
  std::map<int64_t, std::vector<Point>> points;
  std::set<int64_t> further;
  int64_t outside = 0, not_finite = 0;
};

int64_t group_of(int64_t label) {
  return label < 0 ? kNoClass : label >= kDistinctClasses ? kFurther : label;
}

Groups group(const Scatter& scatter, const Axis& x, const Axis& y) {
  const auto inside = [](double value, const Range& range) {
    return value >= range.low && value <= range.high;
  };
  Groups groups;
  for (size_t i = 0; i < scatter.points.size(); ++i) {
    const Point& point = scatter.points[i];
    const int64_t label = scatter.labels.empty() ? 0 : scatter.labels[i];
    if (!drawable(point.x) || !drawable(point.y))
      ++groups.not_finite;
    else if (!inside(point.x, x.range()) || !inside(point.y, y.range()))
      ++groups.outside;
    else {
      groups.points[group_of(label)].push_back(point);
      if (label >= kDistinctClasses) groups.further.insert(label);
    }
  }
  return groups;
}

std::vector<LegendEntry> legend_of(const Scatter& scatter, const Groups& groups) {
  std::vector<LegendEntry> entries;
  if (scatter.labels.empty()) return entries;
  for (const auto& [label, points] : groups.points)
    entries.push_back({label == kFurther   ? fmt::format("{} further classes", groups.further.size())
                       : label == kNoClass ? "no class"
                                           : class_name(scatter.class_names, label),
                       Pen{.color = class_color(label)}, class_shape(label)});
  return entries;
}

std::string note_of(const Groups& groups) {
  std::string note;
  if (groups.outside > 0) note = fmt::format("{} points outside", groups.outside);
  if (groups.not_finite > 0)
    note += fmt::format("{}{} not finite", note.empty() ? "" : ", ", groups.not_finite);
  return note;
}

/// Smaller discs for more points: 3.5 pixels up to a hundred, 1.5 for ten thousand.
double radius_for(size_t points) { return std::clamp(5.5 - std::log10(points + 1.0), 1.5, 3.5); }

void draw_points(Canvas& canvas, const Frame& frame, const Groups& groups, double radius) {
  for (const auto& [label, points] : groups.points) {
    std::vector<Point> centres;
    for (const Point& point : points) centres.push_back(frame.place(point));
    Color color = class_color(label);
    color.alpha = 0.8;
    draw_marks(canvas, centres, class_shape(label), radius, color);
  }
}

}  // namespace

Figure scatter_figure(Scatter scatter) {
  VAE_CHECK(scatter.labels.empty() || scatter.labels.size() == scatter.points.size(),
            "scatter: {} labels for {} points", scatter.labels.size(), scatter.points.size());
  const auto [x_range, y_range] =
      scatter.range ? std::pair(*scatter.range, *scatter.range) : square_around(scatter.points);
  const Axis x = Axis::linear(x_range, kMostTicks), y = Axis::linear(y_range, kMostTicks);
  Groups groups = group(scatter, x, y);
  const auto legend = legend_of(scatter, groups);
  const bool noted = !note_of(groups).empty();
  const double left = left_margin(y, true),
               legend_room = legend.empty() ? 0 : legend_width(legend, kPlotSize) + kRightMargin;
  const Frame frame{{left, kTopMargin}, {kPlotSize, kPlotSize}, x, y};
  const auto draw = [scatter = std::move(scatter), groups = std::move(groups), legend,
                     frame](Canvas& canvas) {
    draw_frame(canvas, frame, {scatter.title, scatter.x_label, scatter.y_label});
    const Drawing points = [&](Canvas& on) {
      draw_points(on, frame, groups, radius_for(scatter.points.size()));
    };
    constexpr double kOver = 4;  // marks reach over the edge
    if (scatter.points.size() > kMostMarks)
      canvas.pixels({frame.corner.x - kOver, frame.corner.y - kOver},
                    {frame.size.x + 2 * kOver, frame.size.y + 2 * kOver}, points);
    else
      points(canvas);
    const Point end{frame.corner.x + kPlotSize, frame.corner.y + kPlotSize};
    draw_legend(canvas, {end.x + kRightMargin, kTopMargin}, kPlotSize, legend);
    canvas.text({end.x, end.y + 60}, note_of(groups), {.size = 12, .color = kMuted, .align = Align::end});
  };
  return {static_cast<int>(std::ceil(left + kPlotSize + kRightMargin + legend_room)),
          static_cast<int>(kTopMargin + kPlotSize + kBottomMargin) - (noted ? 0 : 20), draw};
}

}  // namespace vae::report
