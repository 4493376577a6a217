#pragma once
// t-SNE: points in the plane whose neighbourhoods resemble those of points in many dimensions (van der Maaten
// and Hinton, JMLR 2008). Attraction acts between nearest neighbours, three times the perplexity of them, as
// in the Barnes-Hut variant; repulsion is exact, over all pairs, in vector loops. The result is a function of
// input and options, whatever the number of threads.
#include <functional>
#include <span>
#include <vector>

#include "tensor/tensor.h"

namespace vae::eval {

struct TsneOptions {
  double perplexity = 30;
  int64_t iterations = 1000;
  double learning_rate = 200;
  double early_exaggeration = 12;        ///< of the attraction, in the first iterations
  int64_t exaggerated_iterations = 250;  ///< their number; momentum is 0.5 in them, 0.8 later
  uint64_t seed = 1;                     ///< of the start, N(0, 1e-4^2)
  std::function<void(int64_t done)> progress = {};
};

/// Coordinates [N, 2] of x [N, D], both f32 on the host. Equal points are allowed. Throws Error(usage) unless
/// N > 3 * perplexity and the options are positive, Error(numeric) where x or the result is not finite.
Tensor tsne(const Tensor& x, const TsneOptions& options);

/// How far the k nearest neighbours in `embedding` [N, 2] are neighbours in x [N, D]: 1 - 2 / (N k (2N - 3k -
/// 1)) sum over points and their neighbours in the embedding of max(0, rank in x - k) (Venna and Kaski,
/// 2001). Throws Error(usage) unless 0 < k < N / 2.
double trustworthiness(const Tensor& x, const Tensor& embedding, int64_t k);

namespace detail {

/// Squared distances from row `from` of x to all its rows.
void squared_distances(const Tensor& x, int64_t from, std::span<float> out);

/// Symmetric affinities: point i and neighbour[e] for begin[i] <= e < begin[i + 1]; the weights add up to 1.
struct Affinities {
  std::vector<int64_t> begin, neighbour;
  std::vector<float> weight;
};
Affinities affinities(const Tensor& x, double perplexity);

/// d KL / d y of the embedding, coordinates apart: attraction times `exaggeration` minus repulsion, times 4.
void gradient(const Affinities& p, double exaggeration, const std::vector<float> y[2],
              std::vector<float> gradient[2]);

}  // namespace detail
}  // namespace vae::eval
