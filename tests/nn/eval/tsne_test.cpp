// t-SNE: its affinities and gradient against plain double loops over the definition, and what it does with
// clusters.
#include "nn/eval/tsne.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <numeric>

#include "tests/expect_error.h"
#include "tests/numeric.h"

namespace vae::eval {
namespace {

using Points = std::vector<double>;

/// `clusters` clouds of `each` points in `dims` dimensions.
Tensor clouds(int64_t clusters, int64_t each, int64_t dims, double spread) {
  const Points centres = test::sample(clusters * dims, -10, 10, 1);
  Points x = test::sample(clusters * each * dims, -spread, spread, 2);
  for (int64_t i = 0; i < clusters * each * dims; ++i) x[i] += centres[i / (each * dims) * dims + i % dims];
  return test::tensor_of(x, {clusters * each, dims}, DType::f32);
}

double squared_distance(const Points& x, int64_t dims, int64_t i, int64_t j) {
  double sum = 0;
  for (int64_t d = 0; d < dims; ++d) sum += std::pow(x[i * dims + d] - x[j * dims + d], 2);
  return sum;
}

/// The symmetric affinities as a matrix.
std::vector<double> matrix(const detail::Affinities& p, int64_t n) {
  std::vector<double> all(n * n);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t e = p.begin[i]; e < p.begin[i + 1]; ++e) all[i * n + p.neighbour[e]] += p.weight[e];
  return all;
}

// Momentum 0.5 and attraction times 12 in the first two iterations, 0.8 and 1 later; the gain of a coordinate
// grows by 0.2 while it goes on downhill, and falls by a fifth where it turns.
TEST(Tsne, IterationsFollowTheRule) {
  const Tensor x = clouds(3, 4, 5, 1);
  const auto embedded = [&](int64_t iterations) {
    const Tensor y =
        tsne(x, {.perplexity = 2, .iterations = iterations, .learning_rate = 3, .exaggerated_iterations = 2});
    std::vector<float> apart[2];
    for (int64_t i = 0; i < y.numel(); ++i) apart[i % 2].push_back(y.data<float>()[i]);
    return std::array{apart[0], apart[1]};
  };
  const detail::Affinities p = detail::affinities(x, 2);
  std::array<std::vector<float>, 2> gain{std::vector<float>(12, 1), std::vector<float>(12, 1)},
      velocity{std::vector<float>(12), std::vector<float>(12)};
  for (int64_t iteration = 0; iteration < 5; ++iteration) {
    const auto before = embedded(iteration), after = embedded(iteration + 1);
    std::vector<float> gradient[2]{std::vector<float>(12), std::vector<float>(12)};
    detail::gradient(p, iteration < 2 ? 12 : 1, before.data(), gradient);
    for (size_t c = 0; c < 2; ++c)
      for (size_t i = 0; i < 12; ++i) {
        float& g = gain[c][i];
        g = velocity[c][i] * gradient[c][i] < 0 ? g + 0.2f : std::max(0.01f, 0.8f * g);
        const float next = (iteration < 2 ? 0.5f : 0.8f) * velocity[c][i] - 3 * g * gradient[c][i];
        EXPECT_NEAR(after[c][i] - before[c][i], next, 1e-5 * std::abs(next) + 1e-7) << iteration;
        velocity[c][i] = next;
      }
  }
}

TEST(Tsne, AffinitiesHaveTheirPerplexity) {
  constexpr int64_t n = 61, dims = 3, perplexity = 20;  // all 60 others are neighbours
  const Tensor x = clouds(1, n, dims, 1);
  const Points points = to_doubles(x);
  std::vector<double> expected(n * n);
  for (int64_t i = 0; i < n; ++i) {
    double low = 0, high = 1e6;
    std::vector<double> row(n);
    for (int step = 0; step < 200; ++step) {
      const double beta = (low + high) / 2;
      double sum = 0, entropy = 0;
      for (int64_t j = 0; j < n; ++j)
        sum += row[j] = j == i ? 0 : std::exp(-beta * squared_distance(points, dims, i, j));
      for (double& w : row) entropy -= w > 0 ? w / sum * std::log(w / sum) : 0, w /= sum;
      (entropy > std::log(perplexity) ? low : high) = beta;
    }
    for (int64_t j = 0; j < n; ++j)
      expected[i * n + j] += row[j] / (2 * n), expected[j * n + i] += row[j] / (2 * n);
  }
  const std::vector<double> have = matrix(detail::affinities(x, perplexity), n);
  for (int64_t e = 0; e < n * n;
       ++e)  // the search stops at 1e-5 of the entropy, a few times that in a weight
    EXPECT_NEAR(have[e], expected[e], 1e-4 * (expected[e] + 1e-3)) << e / n << ", " << e % n;
  EXPECT_NEAR(std::accumulate(have.begin(), have.end(), 0.0), 1, 1e-5);
}

TEST(Tsne, GradientIsThatOfTheDivergence) {
  constexpr int64_t n = 150, perplexity = 10;
  const detail::Affinities p = detail::affinities(clouds(3, n / 3, 5, 2), perplexity);
  const std::vector<double> weights = matrix(p, n);
  std::vector<float> y[2], gradient[2];
  for (int c = 0; c < 2; ++c) {
    const Points start = test::sample(n, -3, 3, static_cast<uint64_t>(c) + 5);
    y[c].assign(start.begin(), start.end());
    gradient[c].resize(n);
  }
  const auto q = [&](int64_t i, int64_t j) {
    return 1 / (1 + std::pow(double{y[0][i]} - y[0][j], 2) + std::pow(double{y[1][i]} - y[1][j], 2));
  };
  double normaliser = 0;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) normaliser += i == j ? 0 : q(i, j);
  for (const double exaggeration : {1.0, 12.0}) {
    detail::gradient(p, exaggeration, y, gradient);
    for (int c = 0; c < 2; ++c)
      for (int64_t i = 0; i < n; ++i) {
        double expected = 0, scale = 0;
        for (int64_t j = 0; j < n; ++j) {
          const double push = (exaggeration * weights[i * n + j] - q(i, j) / normaliser) * q(i, j);
          expected += i == j ? 0 : 4 * push * (y[c][i] - y[c][j]);
          scale += i == j ? 0 : std::abs(4 * push * (y[c][i] - y[c][j]));
        }
        EXPECT_NEAR(gradient[c][i], expected, 1e-5 * scale) << "f32 sums of " << n << " terms";
      }
  }
}

double separation(const Tensor& y, int64_t each) {
  const Points points = to_doubles(y);
  const int64_t n = y.size(0);
  int64_t right = 0;
  for (int64_t i = 0; i < n; ++i) {
    int64_t nearest = -1;
    for (int64_t j = 0; j < n; ++j)
      if (j != i &&
          (nearest < 0 || squared_distance(points, 2, i, j) < squared_distance(points, 2, i, nearest)))
        nearest = j;
    right += nearest / each == i / each;
  }
  return static_cast<double>(right) / static_cast<double>(n);
}

TEST(Tsne, KeepsClustersWhateverTheThreads) {
  const Tensor x = clouds(5, 60, 20, 4);
  const TsneOptions options{.perplexity = 15, .iterations = 400, .exaggerated_iterations = 100};
  Tensor y[3];
  for (int i = 0; i < 3; ++i) {
    const ThreadsScope threads(i + 1);
    y[i] = tsne(x, options);
  }
  EXPECT_TRUE(test::same_bits(y[0], y[1]) && test::same_bits(y[0], y[2]));
  EXPECT_GT(separation(y[0], 60), 0.99);
  EXPECT_GT(trustworthiness(x, y[0], 12), 0.95);
  const Tensor random = test::sample_tensor({300, 2}, DType::f32);
  EXPECT_LT(separation(random, 60), 0.4);
  EXPECT_NEAR(trustworthiness(x, random, 12), 0.5, 0.1);
  TsneOptions other = options;
  other.seed = 2;
  EXPECT_FALSE(test::same_bits(y[0], tsne(x, other)));
}

// Where more points coincide than the perplexity asks for, no bandwidth exists.
TEST(Tsne, EqualPoints) {
  for (const double spread : {0.0, 1e-30}) {
    const Tensor x = clouds(3, 50, 4, spread);
    const Tensor y = tsne(x, {.perplexity = 10, .iterations = 300, .learning_rate = 50});
    EXPECT_GT(separation(y, 50), 0.99);
  }
}

TEST(Tsne, Refuses) {
  const Tensor x = clouds(2, 10, 3, 1);
  test::expect_error(ErrorKind::usage, "20 points are too few", [&] { tsne(x, {.perplexity = 7}); });
  test::expect_error(ErrorKind::usage, "perplexity 0", [&] { tsne(x, {.perplexity = 0}); });
  test::expect_error(ErrorKind::usage, "neighbours", [&] { trustworthiness(x, x, 10); });
  const Tensor bad = x.clone();
  bad.data<float>()[5] = NAN;
  test::expect_error(ErrorKind::numeric, "finite", [&] { tsne(bad, {.perplexity = 3}); });
  test::expect_error(ErrorKind::numeric, "diverged",
                     [&] { tsne(x, {.perplexity = 3, .iterations = 50, .learning_rate = 1e30}); });
}

TEST(Trustworthiness, ByTheDefinition) {
  constexpr int64_t n = 40, k = 5;
  const Tensor x = clouds(4, 10, 3, 5), y = test::sample_tensor({n, 2}, DType::f32);
  const Points px = to_doubles(x), py = to_doubles(y);
  // The rank of j among the others of i: how many are closer, plus one.
  const auto rank = [&](const Points& p, int64_t dims, int64_t i, int64_t j) {
    int64_t closer = 1;
    for (int64_t o = 0; o < n; ++o)
      closer += o != i && o != j && squared_distance(p, dims, i, o) < squared_distance(p, dims, i, j);
    return closer;
  };
  double sum = 0;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j)
      if (j != i && rank(py, 2, i, j) <= k)
        sum += static_cast<double>(std::max<int64_t>(0, rank(px, 3, i, j) - k));
  EXPECT_NEAR(trustworthiness(x, y, k), 1 - 2 * sum / (n * k * (2 * n - 3 * k - 1)), 1e-12);
  EXPECT_EQ(trustworthiness(y, y, k), 1);
}

}  // namespace
}  // namespace vae::eval
