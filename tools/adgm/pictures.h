#pragma once
// The pictures of the family, written into the run directory.
#include "models/adgm/evaluate.h"

namespace vae::adgm_tools {

inline const std::vector<std::pair<std::string, std::string>> kPictures{
    {"reconstructed_x.png", "Reconstructions of test images; each tile has its own grey scale"},
    {"conditional.png", "Samples of each class, a latent code per column"},
    {"samples.png", "Samples from the prior"},
    {"analogy.png", "Analogies: a test image, and its latent code decoded under every class"},
    {"traversals.png", "One latent variable changed per row"},
    {"interpolation.png", "Between two test images, in the latent space"},
    {"codes.png", "Latent codes of test images on their first two principal axes, coloured by class"}};

struct PictureContext {
  const models::adgm::Model& model;
  std::filesystem::path run;
  Shape image_shape;  ///< of the image set: [N, H, W, C]
  uint64_t seed;
};

/// reconstructed_x.png, and codes.{png,svg} of all given inputs.
void write_reconstructions(const PictureContext& context, const Tensor& x,
                           const std::vector<int64_t>& labels);
/// With labels conditional.png: 16 samples of the class `digit`, or of each class where it is negative;
/// without, samples.png.
void write_samples(const PictureContext& context, int64_t digit);
/// analogy.png
void write_analogies(const PictureContext& context, const Tensor& x);
/// traversals.png: the code of x, each of its first ten variables moved by -span to span.
void write_traversals(const PictureContext& context, const Tensor& x, double span);
/// interpolation.png: a row per pair of inputs, ten images from the first to the second.
void write_interpolations(const PictureContext& context, const Tensor& x);

}  // namespace vae::adgm_tools
