#pragma once
// Pictures of a VAE with a code z and a class y.
#include <functional>

#include "nn/report/summary.h"
#include "nn/train/image_set.h"
#include "nn/train/step.h"

namespace vae::shot_vae {

/// A model and test images, as pictures need them. Images are rows with values in [0, 1], f32.
struct PictureSource {
  const train::ImageSet& test;
  int64_t classes = 10, z_size = 1;
  struct Code {
    Tensor z, y;  ///< [n, z_size], [n, classes]
  };
  std::function<Code(const Tensor& items)> encode;
  std::function<Tensor(const Code& code)> decode;
};

/// Rows of test images, each above a row of what their codes decode to.
report::Image reconstructions(const PictureSource& source, const train::Step& step);
/// Images of z ~ N(0, I), a row for each class; noise "samples".
report::Image samples(const PictureSource& source, const train::Step& step);
/// A test image of each class, and its z decoded under every class.
report::Image swaps(const PictureSource& source);

/// All of them, for a report.
void add_pictures(report::Summary& summary, const PictureSource& source, const train::Step& step);

}  // namespace vae::shot_vae
