#pragma once
// Pictures of images and latent codes that several experiments write into their run directory.
#include <filesystem>

#include "nn/report/image.h"
#include "tensor/tensor.h"

namespace vae {

/// 10 x 10 reconstructions, each tile scaled to its own range.
report::Image reconstruction_picture(const Tensor& images, const Shape& image_shape);

/// One row per source image: the image, a gap, its decoding under each class.
report::Image analogy_picture(const Tensor& sources, const Tensor& decoded, const Shape& image_shape);

/// latent_code.{png,svg} and labeled_z.{png,svg} of the first two of z's columns; nothing where there is one.
void write_latent_pictures(const std::filesystem::path& run, const Tensor& z,
                           const std::vector<int64_t>& labels);

}  // namespace vae
