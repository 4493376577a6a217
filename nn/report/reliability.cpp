#include "nn/report/reliability.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "nn/report/axes.h"
#include "nn/report/statistics.h"

namespace vae::report {
namespace {

constexpr double kSize = 420;

int64_t images_of(const std::vector<ReliabilityBin>& bins) {
  int64_t images = 0;
  for (const ReliabilityBin& bin : bins) images += bin.images;
  return images;
}

void draw_bin(Canvas& canvas, const Frame& frame, const ReliabilityBin& bin, double left, double right) {
  const auto bar = [&](double low, double high, Color fill) {
    const Point from = frame.place({left, high}), to = frame.place({right, low});
    canvas.rectangle({from.x + 1, from.y}, {to.x - from.x - 2, to.y - from.y}, fill);
  };
  Color right_ones = class_color(0), gap = class_color(2);
  right_ones.alpha = 0.75, gap.alpha = 0.4;
  bar(0, bin.accuracy, right_ones);
  bar(std::min(bin.accuracy, bin.confidence), std::max(bin.accuracy, bin.confidence), gap);
}

}  // namespace

double calibration_error(const std::vector<ReliabilityBin>& bins) {
  double error = 0;
  for (const ReliabilityBin& bin : bins)
    error += static_cast<double>(bin.images) * std::abs(bin.accuracy - bin.confidence);
  return error / static_cast<double>(std::max<int64_t>(1, images_of(bins)));
}

Figure reliability_figure(std::vector<ReliabilityBin> bins, std::string title) {
  const Axis unit = Axis::linear({0, 1}, 6);
  const double left = left_margin(unit, true);
  const Frame frame{{left, kTopMargin}, {kSize, kSize}, unit, unit};
  const auto draw = [bins = std::move(bins), title = std::move(title), frame](Canvas& canvas) {
    draw_frame(canvas, frame, {title, "confidence", "accuracy"});
    const auto count = static_cast<double>(bins.size());
    for (size_t i = 0; i < bins.size(); ++i)
      if (bins[i].images > 0)
        draw_bin(canvas, frame, bins[i], static_cast<double>(i) / count, static_cast<double>(i + 1) / count);
    canvas.line(frame.place({0, 0}), frame.place({1, 1}), {.color = kMuted, .dashes = {4, 4}});
    const std::string note =
        fmt::format("calibration error {}, {} images", percent(calibration_error(bins)), images_of(bins));
    canvas.text({frame.corner.x + kSize, frame.corner.y + kSize + 60}, note,
                {.size = 12, .color = kMuted, .align = Align::end});
  };
  return {static_cast<int>(std::ceil(left + kSize + kRightMargin)), static_cast<int>(kTopMargin + kSize + kBottomMargin), draw};
}

}  // namespace vae::report
