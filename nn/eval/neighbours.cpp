#include "nn/eval/neighbours.h"

#include <algorithm>
#include <cmath>

#include "kernels/kernels.h"
#include "nn/eval/rows.h"
#include "tensor/parallel.h"

namespace vae::eval {
namespace {

using Vector = std::vector<double>;

Vector squared_norms(const Tensor& rows) {
  Vector norms(static_cast<size_t>(rows.size(0)));
  const int64_t d = rows.size(1);
  for (int64_t r = 0; r < rows.size(0); ++r)
    for (int64_t i = 0; i < d; ++i) norms[r] += std::pow(rows.data<double>()[r * d + i], 2);
  return norms;
}

/// Squared distances of the rows of two sets, in blocks.
class Distances {
 public:
  explicit Distances(OnProgress on_progress, int64_t rows)
      : on_progress_(std::move(on_progress)), total_(rows) {}

  /// Calls body(row of x, first row of y, their squared distances) for all rows, in parallel over those of x.
  template <class Body>
  void operator()(const Tensor& x, const Tensor& y, const Body& body) {
    for (int64_t i = 0; i < x.size(0); i += kRows) {
      const Tensor a = rows_f64(x, i, std::min(x.size(0), i + kRows));
      const Vector of_a = squared_norms(a);
      for (int64_t j = 0; j < y.size(0); j += kRows) {
        const Tensor b = rows_f64(y, j, std::min(y.size(0), j + kRows));
        const Vector of_b = squared_norms(b);
        const int64_t columns = b.size(0);
        const Tensor block = Tensor::empty({a.size(0), columns}, DType::f64);
        kernels::gemm(a, kernels::Transpose::no, b, kernels::Transpose::yes, block, -2, 0);
        parallel_for(a.size(0), 16, [&](int64_t begin, int64_t end) {
          for (int64_t r = begin; r < end; ++r) {
            double* row = block.data<double>() + r * columns;
            for (int64_t c = 0; c < columns; ++c) row[c] += of_a[r] + of_b[c];
            body(i + r, j, std::span<const double>(row, static_cast<size_t>(columns)));
          }
        });
      }
      done_ += a.size(0);
      if (on_progress_) on_progress_(done_, total_);
    }
  }

 private:
  OnProgress on_progress_;
  int64_t done_ = 0, total_;
};

/// The squared distances of every row's k nearest other rows, ascending: [n][k].
std::vector<Vector> nearest_others(const Tensor& x, int64_t k, Distances& distances) {
  std::vector<Vector> nearest(static_cast<size_t>(x.size(0)), Vector(static_cast<size_t>(k), INFINITY));
  distances(x, x, [&](int64_t row, int64_t first, std::span<const double> squares) {
    Vector& best = nearest[row];
    for (size_t c = 0; c < squares.size(); ++c) {
      if (!(squares[c] < best.back()) || first + static_cast<int64_t>(c) == row) continue;
      best.back() = squares[c];
      for (size_t at = best.size() - 1; at > 0 && best[at] < best[at - 1]; --at)
        std::swap(best[at], best[at - 1]);
    }
  });
  return nearest;
}

/// Squared radii to the k-th neighbour. What rounding may add to a distance is within.
Vector radii(const std::vector<Vector>& nearest, int64_t k, double rounding) {
  Vector squares;
  for (const Vector& of_row : nearest) squares.push_back(of_row[static_cast<size_t>(k - 1)] + rounding);
  return squares;
}

double largest_norm(const Tensor& x) {
  double largest = 0;
  for (int64_t begin = 0; begin < x.size(0); begin += kRows)
    for (const double norm : squared_norms(rows_f64(x, begin, std::min(x.size(0), begin + kRows))))
      largest = std::max(largest, norm);
  return largest;
}

/// Precision, recall, density, coverage.
Vector measure(const Tensor& real, const Tensor& generated, const NeighbourSettings& k,
               Distances& distances) {
  const int64_t n = real.size(0), m = generated.size(0);
  const double rounding = 1e-12 * std::max(largest_norm(real), largest_norm(generated));
  const std::vector<Vector> of_real = nearest_others(real, std::max(k.precision, k.density), distances);
  const Vector narrow = radii(of_real, k.precision, rounding), wide = radii(of_real, k.density, rounding),
               of_generated = radii(nearest_others(generated, k.precision, distances), k.precision, rounding);

  Vector precision(static_cast<size_t>(m)), density(precision), recall(static_cast<size_t>(n)),
      coverage(recall);
  distances(generated, real, [&](int64_t row, int64_t first, std::span<const double> squares) {
    for (size_t c = 0; c < squares.size(); ++c) {
      const auto centre = static_cast<size_t>(first) + c;
      if (squares[c] <= narrow[centre]) precision[row] = 1;
      if (squares[c] <= wide[centre]) density[row] += 1 / static_cast<double>(k.density);
    }
  });
  distances(real, generated, [&](int64_t row, int64_t first, std::span<const double> squares) {
    for (size_t c = 0; c < squares.size(); ++c) {
      if (squares[c] <= of_generated[static_cast<size_t>(first) + c]) recall[row] = 1;
      if (squares[c] <= wide[row]) coverage[row] = 1;
    }
  });
  return {mean_of(precision).value, mean_of(recall).value, mean_of(density).value, mean_of(coverage).value};
}

}  // namespace

Neighbours neighbours(const Tensor& real, const Tensor& generated, const NeighbourSettings& settings,
                      const OnProgress& on_progress) {
  check_features(real), check_features(generated);
  if (real.size(1) != generated.size(1))
    fail(ErrorKind::data, "features of width {} against those of width {}", real.size(1), generated.size(1));
  const int64_t n = real.size(0), m = generated.size(0),
                most = std::max(settings.precision, settings.density);
  if (n <= most || m <= settings.precision)
    fail(ErrorKind::data, "{} against {} images have no {} and {} neighbours", n, m, most,
         settings.precision);
  const bool halves = n / 2 > most && m / 2 > settings.precision && settings.resamples >= 2;
  Distances distances(on_progress, 2 * (n + m) + (halves ? settings.resamples * 2 * (n / 2 + m / 2) : 0));
  const Vector values = measure(real, generated, settings, distances);
  Vector errors(4, std::numeric_limits<double>::quiet_NaN());
  if (halves)
    errors = half_sample_errors(n, m, settings.resamples, settings.seed,
                                [&](std::span<const int64_t> of_n, std::span<const int64_t> of_m) {
                                  return measure(rows_f64(real, of_n), rows_f64(generated, of_m), settings,
                                                 distances);
                                });
  return {{values[0], errors[0]}, {values[1], errors[1]}, {values[2], errors[2]}, {values[3], errors[3]}};
}

}  // namespace vae::eval
