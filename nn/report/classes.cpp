#include "nn/report/classes.h"

#include <fmt/format.h>

#include "nn/report/stroke_font.h"

namespace vae::report {
namespace {

/// Lines of a shape around the origin, of radius 1.
std::vector<std::vector<Point>> outline(MarkShape shape) {
  switch (shape) {
    case MarkShape::square:
      return {{{-0.8, -0.8}, {0.8, -0.8}, {0.8, 0.8}, {-0.8, 0.8}, {-0.8, -0.8}}};
    case MarkShape::triangle:
      return {{{-1, 0.8}, {0, -1}, {1, 0.8}, {-1, 0.8}}};
    case MarkShape::cross:
      return {{{-0.8, -0.8}, {0.8, 0.8}}, {{-0.8, 0.8}, {0.8, -0.8}}};
    case MarkShape::diamond:
      return {{{-1, 0}, {0, -1}, {1, 0}, {0, 1}, {-1, 0}}};
    case MarkShape::plus:
      return {{{-1, 0}, {1, 0}}, {{0, -1}, {0, 1}}};
    case MarkShape::disc:
      break;
  }
  return {};
}

}  // namespace

std::string shown_of(int64_t most, int64_t classes) {
  return classes <= most ? "" : fmt::format("the first {} of {} classes", most, classes);
}

std::string class_name(const std::vector<std::string>& names, int64_t label, size_t most) {
  if (label < 0 || label >= std::ssize(names)) return fmt::to_string(label);
  std::vector<std::string> characters;
  for (std::string_view rest = names[static_cast<size_t>(label)]; !rest.empty();) {
    const std::string_view before = rest;
    const char32_t code = next_code_point(rest);
    const bool control = code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x2028 || code == 0x2029;
    characters.emplace_back(control || code == kReplacement ? "\uFFFD"
                                                            : before.substr(0, before.size() - rest.size()));
  }
  if (characters.size() > most) {
    characters.resize(most);
    characters.back() = "\u2026";
  }
  return fmt::format("{}", fmt::join(characters, ""));
}

MarkShape class_shape(int64_t label) {
  return label < 0 ? MarkShape::disc : static_cast<MarkShape>(label % kDistinctClasses / kColors);
}

void draw_marks(Canvas& canvas, std::span<const Point> centres, MarkShape shape, double radius, Color color) {
  if (shape == MarkShape::disc) return canvas.discs(centres, radius, color);
  std::vector<std::vector<Point>> lines;
  for (const Point& centre : centres)
    for (const std::vector<Point>& line : outline(shape)) {
      std::vector<Point>& placed = lines.emplace_back();
      for (const Point& p : line) placed.push_back({centre.x + radius * p.x, centre.y + radius * p.y});
    }
  canvas.polylines(lines, 0.5 * radius, color);
}

}  // namespace vae::report
