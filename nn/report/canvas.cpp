#include "nn/report/canvas.h"

#include <cstddef>
#include <iterator>

#include "nn/report/stroke_font.h"

namespace vae::report {

Color class_color(int64_t label) {
  constexpr uint32_t colors[] = {0x2103c8, 0x0e960e, 0xe40402, 0x05aaa8, 0xac02ab,
                                 0xaba808, 0x151515, 0x94a169, 0xbec9cd, 0x6a6551};
  static_assert(std::ssize(colors) == kColors);
  return label < 0 ? rgb(0xb4b9c0) : rgb(colors[label % kColors]);
}

std::string fit_text(std::string_view text, double size, double width) {
  if (text_width(text, size) <= width) return std::string(text);
  constexpr std::string_view ellipsis = "\u2026";
  const double room = width - text_width(ellipsis, size) - size / 4;
  std::string kept;
  std::string_view rest = text;
  while (!rest.empty()) {
    const size_t before = rest.size();
    next_code_point(rest);
    const std::string longer(text.substr(0, kept.size() + before - rest.size()));
    if (text_width(longer, size) > room) break;
    kept = longer;
  }
  return kept.append(ellipsis);
}

}  // namespace vae::report
