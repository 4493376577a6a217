#include "nn/report/raster_canvas.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "nn/report/stroke_font.h"
#include "tensor/error.h"

namespace vae::report {
namespace {

Point operator*(Point point, double factor) { return {point.x * factor, point.y * factor}; }

double distance_to_segment(Point p, Point from, Point to) {
  const double dx = to.x - from.x, dy = to.y - from.y, length2 = dx * dx + dy * dy;
  const double along = length2 > 0 ? ((p.x - from.x) * dx + (p.y - from.y) * dy) / length2 : 0;
  const double t = std::clamp(along, 0.0, 1.0);
  return std::hypot(p.x - from.x - t * dx, p.y - from.y - t * dy);
}

}  // namespace

RasterCanvas::RasterCanvas(int width, int height, int scale) : scale_(scale) {
  VAE_CHECK(width > 0 && width <= 1 << 14 && height > 0 && height <= 1 << 14 && scale >= 1 && scale <= 16,
            "cannot paint a figure of {} x {} at scale {}", width, height, scale);
  image_ = blank_image(width * scale, height * scale, 3, 255);
  mask_.assign(image_.pixels.size() / 3, 0.0f);
  dirty_ = {image_.width, image_.height, 0, 0};
}

RasterCanvas::Box RasterCanvas::clip(double left, double top, double right, double bottom) const {
  const auto inside = [](double value, int end) {
    return static_cast<int>(std::clamp(value, 0.0, double(end)));
  };
  return {inside(std::floor(left), image_.width), inside(std::floor(top), image_.height),
          inside(std::ceil(right), image_.width), inside(std::ceil(bottom), image_.height)};
}

void RasterCanvas::cover(Point from, Point to, double half_width) {
  const double reach = half_width + 1, dx = to.x - from.x, dy = to.y - from.y;
  const Box box = clip(std::min(from.x, to.x) - reach, std::min(from.y, to.y) - reach,
                       std::max(from.x, to.x) + reach, std::max(from.y, to.y) + reach);
  for (int y = box.top; y < box.bottom; ++y) {
    // Only the piece of the segment near this row matters: a long oblique line touches few pixels of its box.
    const double above = dy != 0 ? std::clamp((y + 0.5 - reach - from.y) / dy, 0.0, 1.0) : 0;
    const double below = dy != 0 ? std::clamp((y + 0.5 + reach - from.y) / dy, 0.0, 1.0) : 1;
    const auto [left, right] = std::minmax({from.x + above * dx, from.x + below * dx});
    const Box row = clip(left - reach, y, right + reach, y + 1);
    for (int x = row.left; x < row.right; ++x) {
      const double distance = distance_to_segment({x + 0.5, y + 0.5}, from, to);
      const auto coverage = static_cast<float>(std::clamp(half_width + 0.5 - distance, 0.0, 1.0));
      float& mask = mask_[size_t{1} * y * image_.width + x];
      mask = std::max(mask, coverage);
    }
  }
  dirty_ = {std::min(dirty_.left, box.left), std::min(dirty_.top, box.top), std::max(dirty_.right, box.right),
            std::max(dirty_.bottom, box.bottom)};
}

void RasterCanvas::blend(Color color) {
  const uint8_t channels[] = {color.r, color.g, color.b};
  for (int y = dirty_.top; y < dirty_.bottom; ++y)
    for (int x = dirty_.left; x < dirty_.right; ++x) {
      const size_t at = size_t{1} * y * image_.width + x;
      if (mask_[at] == 0) continue;
      const double alpha = color.alpha * std::exchange(mask_[at], 0.0f);
      for (int c = 0; c < 3; ++c) {
        uint8_t& pixel = image_.pixels[3 * at + c];
        pixel = static_cast<uint8_t>(std::lround(pixel + alpha * (channels[c] - pixel)));
      }
    }
  dirty_ = {image_.width, image_.height, 0, 0};
}

void RasterCanvas::rectangle(Point corner, Point size, Color fill) {
  const double left = corner.x * scale_, top = corner.y * scale_;
  const double right = left + size.x * scale_, bottom = top + size.y * scale_;
  const Box box = clip(left, top, right, bottom);
  const auto overlap = [](int pixel, double low, double high) {
    return std::clamp(std::min(high, pixel + 1.0) - std::max(low, double(pixel)), 0.0, 1.0);
  };
  for (int y = box.top; y < box.bottom; ++y)
    for (int x = box.left; x < box.right; ++x)
      mask_[size_t{1} * y * image_.width + x] =
          static_cast<float>(overlap(x, left, right) * overlap(y, top, bottom));
  dirty_ = box;
  blend(fill);
}

void RasterCanvas::polylines(std::span<const std::vector<Point>> lines, double width, Color color) {
  const double half_width = 0.5 * width * scale_;
  for (const std::vector<Point>& points : lines) {
    if (points.size() == 1) cover(points[0] * scale_, points[0] * scale_, half_width);
    for (size_t i = 1; i < points.size(); ++i) cover(points[i - 1] * scale_, points[i] * scale_, half_width);
  }
  blend(color);
}

void RasterCanvas::discs(std::span<const Point> centres, double radius, Color color) {
  for (const Point& centre : centres) cover(centre * scale_, centre * scale_, radius * scale_);
  blend(color);
}

void RasterCanvas::text(Point anchor, std::string_view text, const TextStyle& style) {
  const double size = style.size * scale_, half_width = size * (style.bold ? 0.058 : 0.041);
  const double shift =
      style.align == Align::start ? 0 : text_width(text, size) * (style.align == Align::end ? 1 : 0.5);
  const auto place = [&](Point p) {
    const Point turned = style.vertical ? Point{p.y, shift - p.x} : Point{p.x - shift, p.y};
    return Point{anchor.x * scale_ + turned.x, anchor.y * scale_ + turned.y};
  };
  for (const auto& stroke : text_strokes(text, size))
    for (size_t i = 1; i < stroke.size(); ++i) cover(place(stroke[i - 1]), place(stroke[i]), half_width);
  blend(style.color);
}

}  // namespace vae::report
