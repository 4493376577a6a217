#pragma once
// A small font of strokes (ASCII and a few signs) for pictures without text engines, and UTF-8 decoding.
// Broken UTF-8 and characters without a glyph are drawn as a box; nothing throws.
#include <string_view>
#include <vector>

#include "nn/report/canvas.h"

namespace vae::report {

inline constexpr char32_t kReplacement = 0xFFFD;

/// Removes the first character from a non-empty text; kReplacement (one byte removed) where the UTF-8 is
/// broken.
char32_t next_code_point(std::string_view& text);

/// Width in pixels of one line of text of the given size (the height of an em).
double text_width(std::string_view text, double size);

/// The strokes of a line of text that starts at the origin, baseline at y = 0 and y downwards; curves are
/// flattened.
std::vector<std::vector<Point>> text_strokes(std::string_view text, double size);

}  // namespace vae::report
