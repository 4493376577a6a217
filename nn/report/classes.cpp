#include "nn/report/classes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iterator>

#include "nn/report/utf8.h"

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

Color class_color(int64_t label) {
  constexpr uint32_t colors[] = {0x3f90da, 0xffa90e, 0xbd1f01, 0x94a4a2, 0x832db6,
                                 0xa96b59, 0xe76300, 0xb9ac70, 0x717581, 0x92dadd};
  static_assert(std::ssize(colors) == kColors);
  return label < 0 ? rgb(0xd0d5db) : rgb(colors[label % kColors]);
}

std::string class_name(const std::vector<std::string>& names, int64_t label, size_t most) {
  if (label < 0 || label >= std::ssize(names)) return fmt::to_string(label);
  std::vector<std::string> characters = characters_of(names[static_cast<size_t>(label)]);
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
  std::vector<std::vector<Point>> lines;
  if (shape == MarkShape::disc)
    for (const Point& centre : centres) lines.push_back({centre});
  for (const Point& centre : centres)
    for (const std::vector<Point>& line : outline(shape)) {
      std::vector<Point>& placed = lines.emplace_back();
      for (const Point& p : line) placed.push_back({centre.x + radius * p.x, centre.y + radius * p.y});
    }
  canvas.lines(lines, {.width = (shape == MarkShape::disc ? 2 : 0.5) * radius, .color = color});
}

Pen curve_pen(int64_t curve, double width) {
  static const std::vector<double> dashes[] = {{},     {7, 3}, {2, 3}, {12, 3, 2, 3}, {7, 3, 2, 3, 2, 3},
                                               {12, 6}};
  return {width, class_color(curve), dashes[curve % kDistinctClasses / kColors]};
}

}  // namespace vae::report
