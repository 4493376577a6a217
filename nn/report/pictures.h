#pragma once
// Pictures of image tensors and latent codes that several families show. `shape` is that of the images,
// [N, H, W, C]; tensors are f32 on any device, one image or code a row.
#include "nn/report/image_grid.h"
#include "nn/report/scatter.h"
#include "tensor/tensor.h"

namespace vae::report {

/// A grid of the given size; each tile has its own grey scale unless `options` say otherwise.
Image tensor_grid(const Tensor& images, const Shape& shape, int rows, int columns, GridOptions options = {});
/// The first 50 originals in rows of ten, each above its reconstruction, on one scale from 0 to 1.
Image reconstruction_picture(const Tensor& originals, const Tensor& reconstructions, const Shape& shape);
inline constexpr const char* kReconstructionCaption = "Test images, and below each its reconstruction";
/// One row per source image: the image, a gap, its decodings [rows, K, size] under the first
/// kMostGridClasses of K classes.
Image analogy_picture(const Tensor& sources, const Tensor& decoded, const Shape& shape,
                      GridOptions options = {});
std::string analogy_caption(int64_t classes);
/// A grid without gaps: n images [n, size] above and on the left of those that mix them, [n, n, size]; the
/// corner is black.
Image swap_picture(const Tensor& edge, const Tensor& inside, const Shape& shape);
/// The first two columns of codes as points, coloured by label where there are labels; codes of one column
/// lie on a line.
Scatter code_scatter(const Tensor& codes, const std::vector<int64_t>& labels = {},
                     const std::vector<std::string>& class_names = {});

}  // namespace vae::report
