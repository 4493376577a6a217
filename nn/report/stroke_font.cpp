#include "nn/report/stroke_font.h"

#include <charconv>
#include <cstdint>

namespace vae::report {
namespace {

// A glyph lives on a grid of 20 units to the em: baseline 0, small letters 10 high, capitals 14, descenders
// to -4. Its path has absolute coordinates: M starts a stroke, L is followed by corners, Q by a control point
// and an end point.
struct Glyph {
  int width;
  const char* path;
};

constexpr double kUnitsPerEm = 20, kGap = 4.2;

constexpr Glyph kAscii[] = {
    {3, ""},                                                                     // space
    {1, "M0 14L0 5M0 1L0 0"},                                                    // !
    {3, "M0 14L0 10M3 14L3 10"},                                                 // "
    {10, "M2 0L4 14M6 0L8 14M0 5L9 5M1 9L10 9"},                                 // #
    {9, "M8 11Q7 13 4 13Q0 13 0 10Q0 8 5 7Q9 6 9 4Q9 1 5 1Q1 1 0 3M5 16L5 -2"},  // $
    {12, "M1 0L11 14M3 14Q6 14 6 11Q6 8 3 8Q0 8 0 11Q0 14 3 14M9 6Q12 6 12 3Q12 0 9 0Q6 0 6 3Q6 6 9 6"},  // %
    {10, "M10 0L2 9Q1 11 2 13Q3 14 5 14Q7 14 7 11Q7 9 4 8Q0 6 0 4Q0 0 4 0Q8 0 10 6"},                     // &
    {0, "M0 14L0 10"},                                                                                    // '
    {3, "M3 16Q0 12 0 6Q0 0 3 -4"},                                                                       // (
    {3, "M0 16Q3 12 3 6Q3 0 0 -4"},                                                                       // )
    {6, "M3 14L3 8M0 13L6 9M6 13L0 9"},                                                                   // *
    {8, "M4 10L4 2M0 6L8 6"},                                                                             // +
    {1, "M1 1L0 -2"},                                                                                     // ,
    {5, "M0 6L5 6"},                                                                                      // -
    {1, "M0 0L0 1"},                                                                                      // .
    {6, "M0 -2L6 15"},                                                                                    // /
    {8, "M4 14Q8 14 8 9L8 5Q8 0 4 0Q0 0 0 5L0 9Q0 14 4 14"},                                              // 0
    {8, "M2 11L5 14 5 0"},                                                                                // 1
    {8, "M0 11Q0 14 4 14Q8 14 8 10Q8 8 6 6L0 0 8 0"},                                                     // 2
    {8, "M0 12Q1 14 4 14Q8 14 8 11Q8 8 4 8L3 8M4 8Q8 8 8 4Q8 0 4 0Q1 0 0 2"},                             // 3
    {8, "M6 0L6 14 0 4 8 4"},                                                                             // 4
    {8, "M7 14L1 14 0 8Q2 9 4 9Q8 9 8 5Q8 0 4 0Q1 0 0 2"},                                                // 5
    {8, "M7 13Q6 14 4 14Q0 14 0 7L0 5Q0 0 4 0Q8 0 8 4Q8 9 4 9Q0 9 0 5"},                                  // 6
    {8, "M0 14L8 14 3 0"},                                                                                // 7
    {8, "M4 8Q1 8 1 11Q1 14 4 14Q7 14 7 11Q7 8 4 8Q8 8 8 4Q8 0 4 0Q0 0 0 4Q0 8 4 8"},                     // 8
    {8, "M1 1Q2 0 4 0Q8 0 8 7L8 9Q8 14 4 14Q0 14 0 10Q0 5 4 5Q8 5 8 9"},                                  // 9
    {1, "M0 0L0 1M0 8L0 9"},                                                                              // :
    {1, "M1 1L0 -2M1 8L1 9"},                                                                             // ;
    {8, "M8 11L0 6 8 1"},                                                                                 // <
    {8, "M0 8L8 8M0 4L8 4"},                                                                              // =
    {8, "M0 11L8 6 0 1"},                                                                                 // >
    {7, "M0 12Q1 14 4 14Q7 14 7 11Q7 9 5 8Q4 7 4 4M4 1L4 0"},                                             // ?
    {14,
     "M10 10L10 4Q10 2 12 2Q14 3 14 7Q14 14 7 14Q0 14 0 6Q0 -2 7 -2Q10 -2 12 -1M10 6Q10 10 7 10Q4 10 4 6Q4 2 "
     "7 2"
     "Q10 2 10 6"},                                                               // @
    {10, "M0 0L5 14 10 0M2 5L8 5"},                                               // A
    {9, "M0 0L0 14 4 14Q8 14 8 11Q8 8 4 8L0 8M4 8Q9 8 9 4Q9 0 4 0L0 0"},          // B
    {10, "M10 12Q8 14 6 14Q0 14 0 7Q0 0 6 0Q8 0 10 2"},                           // C
    {10, "M0 0L0 14 4 14Q10 14 10 7Q10 0 4 0L0 0"},                               // D
    {8, "M8 14L0 14 0 0 8 0M0 7L7 7"},                                            // E
    {8, "M8 14L0 14 0 0M0 7L7 7"},                                                // F
    {11, "M10 12Q8 14 6 14Q0 14 0 7Q0 0 6 0Q9 0 11 2L11 7 7 7"},                  // G
    {10, "M0 0L0 14M10 0L10 14M0 7L10 7"},                                        // H
    {0, "M0 0L0 14"},                                                             // I
    {6, "M6 14L6 4Q6 0 3 0Q0 0 0 3"},                                             // J
    {9, "M0 0L0 14M9 14L0 5M3 8L9 0"},                                            // K
    {7, "M0 14L0 0 7 0"},                                                         // L
    {12, "M0 0L0 14 6 3 12 14 12 0"},                                             // M
    {10, "M0 0L0 14 10 0 10 14"},                                                 // N
    {12, "M6 14Q12 14 12 7Q12 0 6 0Q0 0 0 7Q0 14 6 14"},                          // O
    {9, "M0 0L0 14 5 14Q9 14 9 10Q9 6 5 6L0 6"},                                  // P
    {12, "M6 14Q12 14 12 7Q12 0 6 0Q0 0 0 7Q0 14 6 14M8 4L12 -1"},                // Q
    {9, "M0 0L0 14 5 14Q9 14 9 10Q9 6 5 6L0 6M5 6L9 0"},                          // R
    {9, "M8 12Q7 14 4 14Q0 14 0 11Q0 8 5 7Q9 6 9 4Q9 0 5 0Q1 0 0 2"},             // S
    {10, "M0 14L10 14M5 14L5 0"},                                                 // T
    {10, "M0 14L0 5Q0 0 5 0Q10 0 10 5L10 14"},                                    // U
    {10, "M0 14L5 0 10 14"},                                                      // V
    {14, "M0 14L4 0 7 12 10 0 14 14"},                                            // W
    {10, "M0 0L10 14M0 14L10 0"},                                                 // X
    {10, "M0 14L5 7 10 14M5 7L5 0"},                                              // Y
    {9, "M0 14L9 14 0 0 9 0"},                                                    // Z
    {3, "M3 16L0 16 0 -4 3 -4"},                                                  // [
    {6, "M0 15L6 -2"},                                                            // backslash
    {3, "M0 16L3 16 3 -4 0 -4"},                                                  // ]
    {8, "M0 9L4 14 8 9"},                                                         // ^
    {9, "M0 -3L9 -3"},                                                            // _
    {2, "M0 14L2 11"},                                                            // `
    {8, "M1 9Q2 10 4 10Q8 10 8 7L8 0M8 6L4 6Q0 6 0 3Q0 0 3 0Q6 0 8 3"},           // a
    {8, "M0 14L0 0M0 5Q0 10 4 10Q8 10 8 5Q8 0 4 0Q0 0 0 5"},                      // b
    {8, "M8 8Q7 10 4 10Q0 10 0 5Q0 0 4 0Q7 0 8 2"},                               // c
    {8, "M8 14L8 0M8 5Q8 10 4 10Q0 10 0 5Q0 0 4 0Q8 0 8 5"},                      // d
    {8, "M0 5L8 5Q8 10 4 10Q0 10 0 5Q0 0 4 0Q7 0 8 2"},                           // e
    {5, "M5 14Q2 14 2 11L2 0M0 10L5 10"},                                         // f
    {8, "M8 10L8 0Q8 -4 4 -4Q1 -4 0 -2M8 5Q8 10 4 10Q0 10 0 5Q0 0 4 0Q8 0 8 5"},  // g
    {8, "M0 14L0 0M0 5Q1 10 4 10Q8 10 8 6L8 0"},                                  // h
    {0, "M0 10L0 0M0 13L0 14"},                                                   // i
    {3, "M3 10L3 -1Q3 -4 0 -4M3 13L3 14"},                                        // j
    {7, "M0 14L0 0M7 10L0 4M2 6L7 0"},                                            // k
    {2, "M0 14L0 2Q0 0 2 0"},                                                     // l
    {13, "M0 10L0 0M0 6Q1 10 4 10Q7 10 7 6L7 0M7 6Q8 10 10 10Q13 10 13 6L13 0"},  // m
    {8, "M0 10L0 0M0 5Q1 10 4 10Q8 10 8 6L8 0"},                                  // n
    {8, "M4 10Q8 10 8 5Q8 0 4 0Q0 0 0 5Q0 10 4 10"},                              // o
    {8, "M0 10L0 -4M0 5Q0 10 4 10Q8 10 8 5Q8 0 4 0Q0 0 0 5"},                     // p
    {8, "M8 10L8 -4M8 5Q8 10 4 10Q0 10 0 5Q0 0 4 0Q8 0 8 5"},                     // q
    {5, "M0 10L0 0M0 5Q1 10 5 10"},                                               // r
    {7, "M7 8Q6 10 3 10Q0 10 0 8Q0 6 3 5Q7 5 7 2Q7 0 4 0Q1 0 0 2"},               // s
    {5, "M2 13L2 3Q2 0 5 0M0 10L5 10"},                                           // t
    {8, "M0 10L0 4Q0 0 4 0Q7 0 8 5M8 10L8 0"},                                    // u
    {8, "M0 10L4 0 8 10"},                                                        // v
    {12, "M0 10L3 0 6 9 9 0 12 10"},                                              // w
    {8, "M0 10L8 0M0 0L8 10"},                                                    // x
    {8, "M0 10L4 0M8 10L3 -2Q2 -4 0 -4"},                                         // y
    {7, "M0 10L7 10 0 0 7 0"},                                                    // z
    {4, "M4 16Q2 16 2 13L2 9Q2 6 0 6Q2 6 2 3L2 -1Q2 -4 4 -4"},                    // {
    {0, "M0 16L0 -4"},                                                            // |
    {4, "M0 16Q2 16 2 13L2 9Q2 6 4 6Q2 6 2 3L2 -1Q2 -4 0 -4"},                    // }
    {9, "M0 5Q2 9 5 6Q8 3 9 7"},                                                  // ~
};
static_assert(std::size(kAscii) == '~' - ' ' + 1);

Glyph glyph_of(char32_t code) {
  if (code >= U' ' && code <= U'~') return kAscii[code - U' '];
  switch (code) {
    case U'\u00b1':
      return {8, "M4 12L4 4M0 8L8 8M0 1L8 1"};  // plus-minus
    case U'\u00b7':
      return {1, "M0 6L0 7"};  // middle dot
    case U'\u00d7':
      return {8, "M1 2L7 9M1 9L7 2"};  // times
    case U'\u2013':
      return {8, "M0 6L8 6"};  // en dash
    case U'\u2026':
      return {11, "M1 0L1 1M6 0L6 1M11 0L11 1"};  // ellipsis
    case U'\u2212':
      return {8, "M0 6L8 6"};  // minus
    default:
      return {8, "M0 0L8 0 8 14 0 14 0 0"};
  }
}

/// Walks over a glyph's path and appends its strokes, each point mapped by `place`.
template <class Place>
void append_strokes(const char* path, std::vector<std::vector<Point>>& strokes, const Place& place) {
  const std::string_view text = path;
  const char *at = text.data(), *end = at + text.size();
  const auto read_point = [&] {
    int coordinate[2] = {};
    for (int& value : coordinate) {
      while (at < end && *at == ' ') ++at;
      at = std::from_chars(at, end, value).ptr;
    }
    return Point{static_cast<double>(coordinate[0]), static_cast<double>(coordinate[1])};
  };
  constexpr int kPieces = 8;  // lines per curve
  Point current;
  char command = 'M';
  while (at < end) {
    if (*at == 'M' || *at == 'L' || *at == 'Q') command = *at++;
    if (command == 'M') strokes.emplace_back();
    const Point from = current, control = command == 'Q' ? read_point() : from;
    current = read_point();
    for (int i = command == 'Q' ? 1 : kPieces; i <= kPieces; ++i) {
      const double t = double(i) / kPieces, a = (1 - t) * (1 - t), b = 2 * t * (1 - t), c = t * t;
      strokes.back().push_back(place(
          Point{a * from.x + b * control.x + c * current.x, a * from.y + b * control.y + c * current.y}));
    }
  }
}

}  // namespace

char32_t next_code_point(std::string_view& text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  const size_t length = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
  char32_t code = length == 1 ? lead : lead & (0x7F >> length);
  bool valid = length > 0 && length <= text.size();
  for (size_t i = 1; valid && i < length; ++i) {
    valid = byte(i) >> 6 == 2;
    code = code << 6 | (byte(i) & 0x3F);
  }
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};  // shorter forms exist below
  valid = valid && code >= kLeast[length] && code <= 0x10FFFF && !(code >= 0xD800 && code <= 0xDFFF);
  text.remove_prefix(valid ? length : 1);
  return valid ? code : kReplacement;
}

double text_width(std::string_view text, double size) {
  double units = 0;
  while (!text.empty()) units += glyph_of(next_code_point(text)).width + kGap;
  return units > 0 ? (units - kGap) * size / kUnitsPerEm : 0;
}

std::vector<std::vector<Point>> text_strokes(std::string_view text, double size) {
  const double unit = size / kUnitsPerEm;
  std::vector<std::vector<Point>> strokes;
  double pen = 0;
  while (!text.empty()) {
    const Glyph glyph = glyph_of(next_code_point(text));
    append_strokes(glyph.path, strokes, [&](Point p) { return Point{(pen + p.x) * unit, -p.y * unit}; });
    pen += glyph.width + kGap;
  }
  return strokes;
}

}  // namespace vae::report
