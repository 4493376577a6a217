#pragma once
// Pictures of a trained ML-VAE.
#include "models/ml_vae/codes.h"
#include "nn/report/summary.h"

namespace vae::ml_vae {

/// A trained model and the images that it is shown with.
struct PictureSource {
  const MlVae& model;
  const ImageSet& test;
  int64_t classes;
  std::string test_name;
  std::vector<std::string> class_names;
  train::Step step;
};

/// The digits that swap grids show: those of the published grids, test images of MNIST, or random ones.
enum class References { automatic, fixed, random };

/// Items of the test set, one for each of the first report::kMostGridClasses classes that have any. Throws
/// Error(usage) where the published ones are wanted of another set.
Tensor reference_digits(const PictureSource& source, References wanted);
/// The style of each of those digits (rows) under the class code of each (columns): of the digit alone, or
/// with the evidence of `evidence_images` random images (0: alone); digits of a class without any among those
/// are left out. Throws Error(data) where none is left.
report::Picture swap_grid(const PictureSource& source, References references, int64_t evidence_images);
/// Test images decoded from their posterior means.
report::Picture reconstructions(const PictureSource& source);

/// What t-SNE embeds: a code, with the evidence of all images of the label or each image's own, sampled or
/// its mean; or the pixels.
enum class Embedded { style, class_code, pixels };
struct TsneInput {
  Embedded code = Embedded::style;
  bool evidence = false, means = false;
  int64_t images = 10000;
};
/// Items of the test set that are embedded: the first ones, or, where not every class of the set is among
/// those, random ones.
Tensor tsne_items(const PictureSource& source, int64_t images);
/// [items, D] on the host.
Tensor tsne_input(const PictureSource& source, const TsneInput& input, const Tensor& items);

}  // namespace vae::ml_vae
