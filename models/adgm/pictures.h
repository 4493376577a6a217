#pragma once
// The pictures of the family.
#include "models/adgm/evaluate.h"
#include "nn/report/summary.h"

namespace vae::adgm {

struct PictureSource {
  const Model& model;
  const ImageSet& test;
  std::vector<std::string> class_names;
  Step step;
};

/// 100 test images as the model gives them back.
report::Picture reconstructions(const PictureSource& source);
/// Codes of test images on their first two principal axes, by class.
report::Picture code_axes(const PictureSource& source);
/// 16 samples of the class `digit`, or of each of the first report::kMostGridClasses where it is negative;
/// without labels a few samples. Throws Error(usage) for a class that is none.
report::Picture samples(const PictureSource& source, int64_t digit);
report::Picture analogies(const PictureSource& source);
/// The code of a test image, each of its first ten variables moved by -span to span.
report::Picture traversals(const PictureSource& source, double span);
/// A row per pair of test images, ten images from the first to the second.
report::Picture interpolations(const PictureSource& source);

}  // namespace vae::adgm
