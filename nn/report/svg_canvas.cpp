#include "nn/report/svg_canvas.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "nn/report/markup.h"

namespace vae::report {
namespace {

std::string hex(Color color) { return fmt::format("#{:02x}{:02x}{:02x}", color.r, color.g, color.b); }

std::string opacity(const char* attribute, Color color) {
  return color.alpha < 1 ? fmt::format(" {}=\"{:.3g}\"", attribute, color.alpha) : std::string();
}

/// A coordinate in tenths of a pixel, without a trailing ".0" (adding 0.0 turns -0 into 0).
std::string number(double value) { return fmt::format("{}", std::round(value * 10) / 10 + 0.0); }

void append_point(std::string& path, Point point) {
  const std::string y = number(point.y);
  path += number(point.x);
  if (!y.starts_with('-')) path += ' ';
  path += y;
}

}  // namespace

void SvgCanvas::rectangle(Point corner, Point size, Color fill) {
  body_ +=
      fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"{}/>\n", number(corner.x),
                  number(corner.y), number(size.x), number(size.y), hex(fill), opacity("fill-opacity", fill));
}

void SvgCanvas::polylines(std::span<const std::vector<Point>> lines, double width, Color color) {
  if (std::ranges::all_of(lines, &std::vector<Point>::empty)) return;
  body_ += "<path d=\"";
  for (const std::vector<Point>& points : lines)
    for (size_t i = 0; i < points.size(); ++i) {
      body_ += i == 0 ? 'M' : i == 1 ? 'L' : ' ';
      append_point(body_, points[i]);
    }
  body_ += fmt::format(
      "\" fill=\"none\" stroke=\"{}\" stroke-width=\"{:.3g}\" stroke-linecap=\"round\" "
      "stroke-linejoin=\"round\"{}/>\n",
      hex(color), width, opacity("stroke-opacity", color));
}

void SvgCanvas::discs(std::span<const Point> centres, double radius, Color color) {
  if (centres.empty()) return;
  body_ += "<path d=\"";
  for (const Point& centre : centres) {
    body_ += 'M';
    append_point(body_, centre);
    body_ += "h0";
  }
  body_ +=
      fmt::format("\" fill=\"none\" stroke=\"{}\" stroke-width=\"{:.3g}\" stroke-linecap=\"round\"{}/>\n",
                  hex(color), 2 * radius, opacity("stroke-opacity", color));
}

void SvgCanvas::text(Point anchor, std::string_view text, const TextStyle& style) {
  constexpr const char* anchors[] = {"", " text-anchor=\"middle\"", " text-anchor=\"end\""};
  const std::string x = number(anchor.x), y = number(anchor.y);
  const std::string turn =
      style.vertical ? fmt::format(" transform=\"rotate(-90 {} {})\"", x, y) : std::string();
  body_ += fmt::format("<text x=\"{}\" y=\"{}\" font-size=\"{:.3g}\" fill=\"{}\"{}{}{}>{}</text>\n", x, y,
                       style.size, hex(style.color), anchors[static_cast<int>(style.align)],
                       style.bold ? " font-weight=\"600\"" : "", turn, escape_markup(text));
}

std::string SvgCanvas::str() const {
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
      "font-family=\"Helvetica, Arial, 'Liberation Sans', sans-serif\">\n"
      "<rect width=\"{0}\" height=\"{1}\" fill=\"#ffffff\"/>\n{2}</svg>\n",
      width_, height_, body_);
}

}  // namespace vae::report
