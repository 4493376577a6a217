#pragma once
// How figures, tables and grids show classes: their names, their marks, and how many of them.
#include <string>
#include <vector>

#include "nn/report/canvas.h"

namespace vae::report {

/// Of more classes the first ones are shown: rows and columns of confusion matrices, of grids of images.
inline constexpr int64_t kMostTableClasses = 100, kMostGridClasses = 30;

/// "the first 30 of 200 classes", for captions; empty where all are shown.
std::string shown_of(int64_t most, int64_t classes);

/// Colour of a curve or a class: ten, which people with any kind of colour blindness tell apart (M. Petroff,
/// arXiv:2107.02270), repeated beyond; pale grey for a negative number (no class).
inline constexpr int64_t kColors = 10;
Color class_color(int64_t label);

/// The name of a class, in one line of at most `most` characters; its number where it has no name.
std::string class_name(const std::vector<std::string>& names, int64_t label, size_t most = 24);

enum class MarkShape { disc, square, triangle, cross, diamond, plus };

/// Classes are told apart up to this number: ten colours, each with six shapes.
inline constexpr int64_t kDistinctClasses = 6 * kColors;
/// The shape of a class: a disc of the first ten, and of negative labels.
MarkShape class_shape(int64_t label);
/// Marks of one colour, `radius` from their centre. Where they overlap, a translucent colour does not add up.
void draw_marks(Canvas& canvas, std::span<const Point> centres, MarkShape shape, double radius, Color color);

/// The line of a curve: curves of one colour are dashed in six ways.
Pen curve_pen(int64_t curve, double width);

}  // namespace vae::report
