#pragma once
// Matrices in columns, as cuBLAS counts, and products by plain loops.
#include "tests/numeric.h"

namespace vae::test {

/// Element (i, j) of op(x), x in columns `ld` apart.
inline double at(const std::vector<double>& x, int64_t ld, bool transposed, int64_t i, int64_t j) {
  return x[static_cast<size_t>(transposed ? i * ld + j : j * ld + i)];
}

/// A product: op(a) [m, k], op(b) [k, n], c [m, n]; columns lie `gap` elements further apart than they need.
struct ProductCase {
  int64_t m, n, k;
  bool ta = false, tb = false;
  double alpha = 1, beta = 0;
  int64_t gap = 0;

  int64_t lda() const { return std::max<int64_t>(1, ta ? k : m) + gap; }
  int64_t ldb() const { return std::max<int64_t>(1, tb ? n : k) + gap; }
  int64_t ldc() const { return m + gap; }
  std::vector<double> a() const { return sample(lda() * (ta ? m : k), -1, 1, 1); }
  std::vector<double> b() const { return sample(ldb() * (tb ? k : n), -1, 1, 2); }
  /// NaN where it must not be read: between columns, and everywhere where beta is 0.
  std::vector<double> c() const {
    std::vector<double> values = sample(ldc() * n, -1, 1, 3);
    for (int64_t i = 0; i < ldc() * n; ++i)
      if (beta == 0 || i % ldc() >= m) values[static_cast<size_t>(i)] = std::nan("");
    return values;
  }
  /// alpha op(a) op(b) + beta c + bias in columns without gaps.
  std::vector<double> result(const std::vector<double>& bias = {}) const {
    const std::vector<double> av = a(), bv = b(), cv = c();
    std::vector<double> all;
    for (int64_t j = 0; j < n; ++j)
      for (int64_t i = 0; i < m; ++i) {
        double sum = 0;
        for (int64_t l = 0; l < k; ++l) sum += at(av, lda(), ta, i, l) * at(bv, ldb(), tb, l, j);
        sum *= alpha;
        if (beta != 0) sum += beta * at(cv, ldc(), false, i, j);
        all.push_back(bias.empty() ? sum : sum + bias[static_cast<size_t>(i)]);
      }
    return all;
  }
  /// The columns of a computed matrix without the gaps, which must still be NaN.
  std::vector<double> columns(const std::vector<double>& computed) const {
    std::vector<double> all;
    for (int64_t i = 0; i < ldc() * n; ++i) {
      const double value = computed[static_cast<size_t>(i)];
      if (i % ldc() < m)
        all.push_back(value);
      else if (!std::isnan(value))
        return {};  // written between columns
    }
    return all;
  }
};

}  // namespace vae::test
