#pragma once
// Scatter plot of points in the plane, e.g. of a latent space; square, equal units on both axes. Classes are
// told apart by ten colours and six shapes; those from number 60 on are grey.
#include <optional>
#include <vector>

#include "nn/report/axes.h"
#include "nn/report/figure.h"

namespace vae::report {

struct Scatter {
  std::vector<Point> points;
  std::vector<int64_t> labels =
      {};  ///< class of each point (negative: none), or empty: one colour, no legend
  std::vector<std::string> class_names = {};  ///< by label; a class without a name shows its number
  std::string title = {};
  std::string x_label = "z1", y_label = "z2";
  std::optional<Range> range = {};  ///< of both axes, e.g. {-4, 4}; default: what holds all points
};

/// Throws Error(internal) if labels and points differ in number or the range is not one. Points outside the
/// range and points that are not finite are left out, and their number is written below the plot.
Figure scatter_figure(Scatter scatter);

}  // namespace vae::report
