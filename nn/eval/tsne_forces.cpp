#include "kernels/simd.h"
#include "nn/eval/tsne.h"
#include "tensor/parallel.h"

namespace vae::eval::detail {
namespace {

/// Sums over all points j of q = 1 / (1 + |y_i - y_j|^2) and of q^2 (y_i - y_j).
struct Repulsion {
  float normaliser, x, y;
};

VAE_CLONES Repulsion repulsion(const float* xs, const float* ys, int64_t points, int64_t i) {
  const float x = xs[i], y = ys[i];
  float normaliser = 0, fx = 0, fy = 0;
#pragma omp simd reduction(+ : normaliser, fx, fy)
  for (int64_t j = 0; j < points; ++j) {
    const float dx = x - xs[j], dy = y - ys[j];
    const float q = 1.0f / (1.0f + dx * dx + dy * dy);
    normaliser += q;
    fx += q * q * dx;
    fy += q * q * dy;
  }
  return {normaliser - 1, fx, fy};  // without the point itself
}

}  // namespace

void gradient(const Affinities& p, double exaggeration, const std::vector<float> y[2],
              std::vector<float> gradient[2]) {
  const auto points = static_cast<int64_t>(y[0].size());
  const float *xs = y[0].data(), *ys = y[1].data();
  std::vector<Repulsion> repulsions(points);
  parallel_for(points, 64, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) repulsions[i] = repulsion(xs, ys, points, i);
  });
  double normaliser = 0;
  for (const Repulsion& r : repulsions) normaliser += r.normaliser;
  parallel_for(points, 64, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      double fx = 0, fy = 0;
      for (int64_t e = p.begin[i]; e < p.begin[i + 1]; ++e) {
        const float dx = xs[i] - xs[p.neighbour[e]], dy = ys[i] - ys[p.neighbour[e]];
        const float pull = p.weight[e] / (1.0f + dx * dx + dy * dy);
        fx += pull * dx;
        fy += pull * dy;
      }
      gradient[0][i] = static_cast<float>(4 * (exaggeration * fx - repulsions[i].x / normaliser));
      gradient[1][i] = static_cast<float>(4 * (exaggeration * fy - repulsions[i].y / normaliser));
    }
  });
}

}  // namespace vae::eval::detail
