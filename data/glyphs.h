#pragma once
// How people write the ten digits: strokes in the unit square (x to the right, y down), several ways for each
// digit.
#include <vector>

namespace vae::data {

struct Point {
  float x, y;
};
/// Control points of one smooth curve through all of them. Corners are where one stroke ends and the next
/// begins.
using Stroke = std::vector<Point>;
using Glyph = std::vector<Stroke>;

/// The ways of writing `digit` (0 to 9).
const std::vector<Glyph>& glyphs_of(int digit);

}  // namespace vae::data
