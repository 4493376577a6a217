#pragma once
// Curves over a common x axis, e.g. losses and accuracies of a training run.
#include "nn/report/figure.h"
#include "nn/report/series.h"

namespace vae::report {

struct LineChart {
  std::vector<Series> series;
  std::string title = {}, x_label = {}, y_label = {};
  bool log_y = false;  ///< decimal logarithm; values <= 0 are gaps
};

/// Gaps interrupt a curve, a lone point is a disc, several series get a legend. Long series are thinned to
/// the extremes of short runs of points, which looks the same. Throws Error(internal) if a series has
/// unequally many x and y.
Figure line_chart_figure(LineChart chart);

}  // namespace vae::report
