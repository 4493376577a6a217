#pragma once
// What the probabilities of a classifier tell beside its predictions; whether it is right as often as it is
// confident.
#include "nn/report/figure.h"

namespace vae::report {

/// The predictions whose confidence, the probability of the predicted class, lies in (i / n, (i + 1) / n]:
/// bin i of n, its means 0 without images.
struct ReliabilityBin {
  int64_t images = 0;
  double confidence = 0, accuracy = 0;
};

/// Expected calibration error (Guo et al., arXiv:1706.04599): the mean of |accuracy - confidence| over the
/// bins, weighted by their images; 0 without any.
double calibration_error(const std::vector<ReliabilityBin>& bins);

/// Of the images of a test set.
struct ClassScores {
  double nll = 0;   ///< mean of -log p(label), nats
  double top5 = 0;  ///< share of images whose label is among the five most probable
  std::vector<ReliabilityBin> bins{};
};

/// Reliability diagram: the accuracy of each bin as a bar, what lacks to the confidence or exceeds it in red,
/// and the diagonal of a calibrated classifier.
Figure reliability_figure(std::vector<ReliabilityBin> bins, std::string title = "Reliability");

}  // namespace vae::report
