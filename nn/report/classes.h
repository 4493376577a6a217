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

/// The name of a class, in one line of at most `most` characters; its number where it has no name.
std::string class_name(const std::vector<std::string>& names, int64_t label, size_t most = 24);

enum class MarkShape { disc, square, triangle, cross, diamond, plus };

/// Classes are told apart up to this number: ten colours, each with six shapes.
inline constexpr int64_t kDistinctClasses = 6 * kColors;
/// The shape of a class: a disc of the first ten, and of negative labels.
MarkShape class_shape(int64_t label);
/// Marks of one colour, `radius` from their centre.
void draw_marks(Canvas& canvas, std::span<const Point> centres, MarkShape shape, double radius, Color color);

}  // namespace vae::report
