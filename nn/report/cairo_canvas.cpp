#include "nn/report/cairo_canvas.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "nn/report/cairo_handles.h"
#include "nn/report/utf8.h"

namespace vae::report {
namespace {

constexpr int kPixelScale = 2;        // pixels per length, of what is kept as pixels
constexpr double kFar = 1 << 20;      // beyond any figure; cairo counts in 24 bits
constexpr double kMeasuredSize = 64;  // of the font that is measured

/// The system's sans-serif; cairo's own letters where it has no font at all. Unhinted, so that widths grow
/// with the size and are the same on every surface.
CairoFont make_font(double size, bool bold) {
  cairo_font_face_t* face = cairo_toy_font_face_create(
      "sans-serif", CAIRO_FONT_SLANT_NORMAL, bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_font_options_t* options = cairo_font_options_create();
  cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
  cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
  cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
  cairo_matrix_t em, device;
  cairo_matrix_init_scale(&em, size, size);
  cairo_matrix_init_identity(&device);
  CairoFont font(cairo_scaled_font_create(face, &em, &device, options));
  cairo_font_options_destroy(options);
  cairo_font_face_destroy(face);
  return font;
}

double advance(cairo_scaled_font_t* font, const std::string& text) {
  cairo_text_extents_t extents;
  cairo_scaled_font_text_extents(font, text.c_str(), &extents);
  return extents.x_advance;
}

double width_of(const std::string& line, double size) {
  thread_local const CairoFont font = make_font(kMeasuredSize, false);
  return advance(font.get(), line) * size / kMeasuredSize;
}

std::string line_of(std::string_view text) { return fmt::format("{}", fmt::join(characters_of(text), "")); }

void set_color(cairo_t* cairo, Color color) {
  cairo_set_source_rgba(cairo, color.r / 255.0, color.g / 255.0, color.b / 255.0, color.alpha);
}

double near(double value) { return std::clamp(value, -kFar, kFar); }

}  // namespace

double text_width(std::string_view text, double size) { return width_of(line_of(text), size); }

std::string fit_text(std::string_view text, double size, double width) {
  if (text_width(text, size) <= width) return std::string(text);
  constexpr const char* ellipsis = "\u2026";
  std::string kept;
  for (const std::string& character : characters_of(text)) {
    if (width_of(kept + character + ellipsis, size) > width) break;
    kept += character;
  }
  return kept + ellipsis;
}

void CairoCanvas::rectangle(Point corner, Point size, Color fill) {
  set_color(cairo_, fill);
  const double left = near(corner.x), top = near(corner.y);
  cairo_rectangle(cairo_, left, top, near(corner.x + size.x) - left, near(corner.y + size.y) - top);
  cairo_fill(cairo_);
}

void CairoCanvas::lines(std::span<const std::vector<Point>> lines, const Pen& pen) {
  set_color(cairo_, pen.color);
  cairo_set_line_width(cairo_, pen.width);
  cairo_set_line_cap(cairo_, pen.dashes.empty() ? CAIRO_LINE_CAP_ROUND : CAIRO_LINE_CAP_BUTT);
  cairo_set_line_join(cairo_, CAIRO_LINE_JOIN_ROUND);
  cairo_set_dash(cairo_, pen.dashes.data(), static_cast<int>(pen.dashes.size()), 0);
  for (const std::vector<Point>& points : lines) {
    cairo_new_sub_path(cairo_);
    for (const Point& p : points) cairo_line_to(cairo_, near(p.x), near(p.y));
    if (points.size() == 1) cairo_close_path(cairo_);
  }
  cairo_stroke(cairo_);
}

void CairoCanvas::text(Point anchor, std::string_view text, const TextStyle& style) {
  const CairoFont font = make_font(style.size, style.bold);
  const std::string line = line_of(text);
  const double shift = style.align == Align::start ? 0 : advance(font.get(), line);
  cairo_save(cairo_);
  cairo_set_scaled_font(cairo_, font.get());
  set_color(cairo_, style.color);
  cairo_translate(cairo_, near(anchor.x), near(anchor.y));
  if (style.vertical) cairo_rotate(cairo_, -M_PI / 2);
  cairo_move_to(cairo_, style.align == Align::middle ? -shift / 2 : -shift, 0);
  cairo_show_text(cairo_, line.c_str());
  cairo_restore(cairo_);
  cairo_new_path(cairo_);
}

void CairoCanvas::move(Point by) { cairo_translate(cairo_, by.x, by.y); }

void CairoCanvas::pixels(Point corner, Point size, const Drawing& draw) {
  if (!vector_) return draw(*this);
  const auto extent = [](double length) { return static_cast<int>(std::ceil(kPixelScale * length)); };
  const CairoSurface surface(cairo_image_surface_create(CAIRO_FORMAT_ARGB32, extent(size.x), extent(size.y)));
  cairo_surface_set_device_scale(surface.get(), kPixelScale, kPixelScale);
  const CairoContext cairo(cairo_create(surface.get()));
  CairoCanvas inside(cairo.get(), false);
  inside.move({-corner.x, -corner.y});
  draw(inside);
  cairo_set_source_surface(cairo_, surface.get(), corner.x, corner.y);
  cairo_paint(cairo_);
}

}  // namespace vae::report
