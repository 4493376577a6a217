#pragma once
// Small models of binary codes in every variant, and images for them.
#include "models/sym_vae/sym_vae.h"
#include "tests/models/few.h"

namespace vae::sym_vae {

inline Config small(EncoderKind encoder = EncoderKind::ladder,
                    nn::LikelihoodKind likelihood = nn::LikelihoodKind::bernoulli) {
  const bool bits = likelihood == nn::LikelihoodKind::bernoulli;
  return {.encoder = encoder,
          .likelihood = likelihood,
          .nz0 = 2,
          .nz1 = 3,
          .width = 1,
          .encoder_units = 3,
          .prior_units = 4,
          .code_units = 5,
          .decoder_activation = kernels::activation(bits ? kernels::Map::tanh : kernels::Map::relu)};
}

/// Calls body with every pair of encoder and likelihood.
template <class Body>
void for_variants(const Body& body) {
  for (const EncoderKind encoder : {EncoderKind::ladder, EncoderKind::reverse})
    for (const auto likelihood : {nn::LikelihoodKind::bernoulli, nn::LikelihoodKind::gaussian}) {
      SCOPED_TRACE(
          fmt::format("encoder {} likelihood {}", static_cast<int>(encoder), static_cast<int>(likelihood)));
      body(small(encoder, likelihood));
    }
}

/// Images [n, 784] of bits, or of grey values.
inline Var images(int64_t n, const Config& c, DType dtype = DType::f64) {
  std::vector<double> pixels = test::sample(n * kPixels, 0, 1, 3);
  if (c.likelihood == nn::LikelihoodKind::bernoulli)
    for (double& pixel : pixels) pixel = pixel < 0.3;
  return Var(test::tensor_of(pixels, {n, kPixels}, dtype));
}

inline train::Step first_step(DType dtype = DType::f64) {
  return train::Step(5, Tensor::scalar(int64_t{0}), dtype);
}

}  // namespace vae::sym_vae
