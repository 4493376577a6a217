#include "nn/eval/tsne.h"

#include <algorithm>
#include <cmath>

#include "kernels/random.h"

namespace vae::eval {
namespace {

constexpr float kSpread = 1e-4f;  // of the start

void check(const Tensor& x, const TsneOptions& o) {
  VAE_CHECK(x.rank() == 2 && x.dtype() == DType::f32, "t-SNE of {}", x.str());
  if (!(o.perplexity >= 1 && o.learning_rate > 0 && o.early_exaggeration > 0) || o.iterations < 0)
    fail(ErrorKind::usage, "t-SNE: perplexity {}, learning rate {}, early exaggeration {}, {} iterations",
         o.perplexity, o.learning_rate, o.early_exaggeration, o.iterations);
  if (!(static_cast<double>(x.size(0)) > 3 * o.perplexity))
    fail(ErrorKind::usage,
         "t-SNE: {} points are too few for perplexity {}: it takes more than three times as many", x.size(0),
         o.perplexity);
  for (int64_t i = 0; i < x.numel(); ++i)
    if (!std::isfinite(x.data<float>()[i])) fail(ErrorKind::numeric, "t-SNE: the input is not finite");
}

/// One coordinate under gradient descent with momentum and a gain per point that grows while the direction
/// stays (Jacobs, 1988).
struct Coordinate {
  std::vector<float> velocity, gain;
  explicit Coordinate(size_t points) : velocity(points), gain(points, 1.0f) {}

  void step(std::vector<float>& y, const std::vector<float>& gradient, float rate, float momentum) {
    for (size_t i = 0; i < y.size(); ++i) {
      const bool turned = velocity[i] * gradient[i] >= 0;  // downhill is against the gradient
      gain[i] = std::max(0.01f, turned ? gain[i] * 0.8f : gain[i] + 0.2f);
      velocity[i] = momentum * velocity[i] - rate * gain[i] * gradient[i];
      y[i] += velocity[i];
    }
  }
};

void start(std::vector<float> y[2], uint64_t seed) {
  const RandomKey key = RandomKey::named(seed, "tsne/start");
  for (size_t i = 0; i < y[0].size(); ++i) {
    const PhiloxBlock words = random_block(key, 0, i);
    kernels::normal_pair(words.v[0], words.v[1], y[0][i], y[1][i]);
    y[0][i] *= kSpread, y[1][i] *= kSpread;
  }
}

}  // namespace

Tensor tsne(const Tensor& x, const TsneOptions& options) {
  check(x, options);
  const auto points = static_cast<size_t>(x.size(0));
  const detail::Affinities p = detail::affinities(x, options.perplexity);
  std::vector<float> y[2], gradient[2];
  for (int c = 0; c < 2; ++c) y[c].resize(points), gradient[c].resize(points);
  start(y, options.seed);
  Coordinate coordinates[2]{Coordinate(points), Coordinate(points)};
  for (int64_t i = 0; i < options.iterations; ++i) {
    const bool early = i < options.exaggerated_iterations;
    detail::gradient(p, early ? options.early_exaggeration : 1, y, gradient);
    for (int c = 0; c < 2; ++c)
      coordinates[c].step(y[c], gradient[c], static_cast<float>(options.learning_rate), early ? 0.5f : 0.8f);
    if (options.progress) options.progress(i + 1);
  }
  std::vector<float> both(2 * points);
  for (size_t i = 0; i < points; ++i)
    for (size_t c = 0; c < 2; ++c) {
      if (!std::isfinite(y[c][i])) fail(ErrorKind::numeric, "t-SNE diverged: use a lower learning rate");
      both[2 * i + c] = y[c][i];
    }
  return Tensor::from(both, {x.size(0), 2});
}

}  // namespace vae::eval
