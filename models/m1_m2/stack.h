#pragma once
// M2 alone or on the features of a frozen M1, and what both are asked after training: predictions,
// reconstructions, analogies, likelihoods. All of it in test mode, without a tape.
#include "models/common/evaluation.h"
#include "models/common/image_set.h"
#include "models/m1_m2/m2.h"

namespace vae::models {

struct Stack {
  M2* m2 = nullptr;
  M1* m1 = nullptr;  ///< null: M2 works on images

  /// M2's input: x itself, or a sample of M1's q(z1|x) from noise eps [B, M1's z_size].
  Tensor features(const Tensor& x, const Tensor& eps) const;
  /// Width of the noise that features() takes; 0 without an M1.
  int64_t feature_noise() const { return m1 ? m1->config().z_size : 0; }
  /// Images [rows, image_size] of what M2's decoder gave: probabilities or means; with an M1, its decoding of
  /// features sampled with noise eps (log variance limited as in the likelihood) or, without noise, of their
  /// means.
  Tensor images(const Decoded& decoded, const Tensor& eps = {}) const;
};

/// Most probable class of each item, i64 on the host, in batches. With an M1, its features are samples.
std::vector<int64_t> predict(const Stack& stack, const ImageSet& images, const Tensor& items, RandomKey key);

/// Latent codes and reconstructions of items: M1 samples z; M2 samples y from q(y|x), then z from q(z|x,y).
struct Reconstruction {
  Tensor z;       ///< [items, z_size]
  Tensor images;  ///< [items, image_size]
};
Reconstruction reconstruct(const M1& model, const Tensor& x, RandomKey key);
Reconstruction reconstruct(const Stack& stack, const Tensor& x, RandomKey key);

/// Images [rows, K, image_size]: each row's z decoded under every class. Gaussian features are sampled, or
/// their means where `means`.
Tensor analogy(const Stack& stack, const Tensor& x, RandomKey key, bool means = false);

/// Mean over items of the importance-weighted estimate of -log p(x), nats, with `samples` draws of z (per
/// class for M2): Burda, Grosse, Salakhutdinov, arXiv:1509.00519.
double importance_nll(const M1& model, const ImageSet& images, const Tensor& items, int64_t samples,
                      RandomKey key);
double importance_nll(const Stack& stack, const ImageSet& images, const Tensor& items, int64_t samples,
                      RandomKey key);

}  // namespace vae::models
