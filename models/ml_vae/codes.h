#pragma once
// Codes of whole image sets and what is read off them: reconstruction errors, swap grids, inputs of probes.
// All without a tape.
#include "models/ml_vae/ml_vae.h"
#include "nn/train/image_set.h"

namespace vae::ml_vae {

using train::ImageSet;

/// A diagonal Gaussian per row, outside differentiation.
struct GaussianRows {
  Tensor mean, log_var;
  /// mean + e^(log_var / 2) eps
  Tensor sample(const Tensor& eps) const;
  GaussianRows rows(const Tensor& items) const;
};

/// Posteriors of all images of a set, in its order.
struct SetCodes {
  GaussianRows style, class_code;  ///< [N, dim]
  Tensor labels;                   ///< i64 [N]
};
SetCodes encode_set(const MlVae& model, const ImageSet& images, DType dtype = DType::f32);

/// The class code of each of `classes` labels, from all rows of that label: [classes, class_dim].
GaussianRows evidence_of(const GaussianRows& class_code, const Tensor& labels, int64_t classes);

/// Images [rows, x_size] in [0, 1].
Tensor decode_images(const MlVae& model, const Tensor& style, const Tensor& class_code);

/// Mean squared error per pixel of the images decoded from posterior means: with each image's own class code,
/// and with that of all images of its label.
struct ReconstructionErrors {
  double single, evidence;
};
ReconstructionErrors reconstruction_errors(const MlVae& model, const ImageSet& images, const SetCodes& codes,
                                           int64_t classes);

/// The order of whole batches that go through a set again and again; each pass in an order of its own, or all
/// in that of the first.
inline kernels::Order passes(int64_t items, int64_t batch, bool reshuffle) {
  return {.period = std::max<int64_t>(1, items / batch), .reshuffle = reshuffle};
}

/// Means over the whole batches of one pass, fresh noise: the terms of the objective, and the reconstruction
/// where each image draws its own class code without evidence, with deviation 1.
struct SetLosses {
  double reconstruction, style_kl, class_kl, reconstruction_single;
};
SetLosses set_losses(const MlVae& model, const ImageSet& images, int64_t classes, int64_t batch,
                     uint64_t seed);

/// Images [styles, classes, x_size]: every style code under every class code.
Tensor swap_images(const MlVae& model, const Tensor& style, const Tensor& class_code);

}  // namespace vae::ml_vae
