#pragma once
// The pictures of the family, written into a run directory.
#include <filesystem>

#include "models/m1_m2/stack.h"
#include "nn/report/image.h"

namespace vae {

/// 10 x 10 reconstructions, each tile scaled to its own range.
report::Image reconstruction_picture(const Tensor& images, const Shape& image_shape);

/// One row per source image: the image, a gap, its decoding under each class.
report::Image analogy_picture(const Tensor& sources, const Tensor& decoded, const Shape& image_shape);

/// reconstructed_x.png, latent_code.{png,svg} and, from two latent variables on, labeled_z.{png,svg}.
void write_latent_pictures(const std::filesystem::path& run, const models::Reconstruction& reconstruction,
                           const std::vector<int64_t>& labels, const Shape& image_shape);

/// Random items of a set, the same for the same key.
Tensor random_items(const models::ImageSet& images, int64_t count, RandomKey key);

}  // namespace vae
