#pragma once
// M2 alone or on the features of a frozen M1, and what both are asked after training: predictions,
// reconstructions, analogies, likelihoods. All of it without a tape and with the models in test mode.
#include "models/m1_m2/m2.h"
#include "nn/train/image_set.h"

namespace vae::m1_m2 {

using train::ImageSet;

struct Stack {
  M2* m2 = nullptr;
  M1* m1 = nullptr;  ///< null: M2 works on images

  /// M2's input: x itself, or a sample of M1's q(z1|x) from noise eps [B, M1's z_size].
  Tensor features(const Tensor& x, const Tensor& eps) const;
  /// The same with the noise of a key and number.
  Tensor features(const Tensor& x, RandomKey key, int64_t number = 0) const;
  /// Images [rows, image_size] of what M2's decoder gave: probabilities or means; with an M1, its decoding of
  /// features sampled with the key's noise (log variance limited as in the likelihood) or, without a key, of
  /// their means.
  Tensor images(const Likelihood& decoded, std::optional<RandomKey> key) const;
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
/// class for M2): Burda, Grosse, Salakhutdinov, arXiv:1509.00519. Throws Error(usage) with an M1 below M2.
double importance_nll(const M1& model, const ImageSet& images, const Tensor& items, int64_t samples,
                      RandomKey key);
double importance_nll(const Stack& stack, const ImageSet& images, const Tensor& items, int64_t samples,
                      RandomKey key);

}  // namespace vae::m1_m2
