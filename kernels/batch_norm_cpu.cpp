// Batch norm on the CPU: a thread takes a tile of columns and makes all passes over it while it is in cache,
// so memory is read and written once. Statistics are summed in blocks of the element type and across blocks
// in f64.
#include <cmath>

#include "kernels/kernels.h"
#include "kernels/simd.h"
#include "tensor/parallel.h"

namespace vae::kernels::cpu {
namespace {

constexpr int64_t kTile = 64;       // columns per tile
constexpr int64_t kBlockRows = 32;  // rows summed in the element type

/// total[c] = sum over rows of term(r, c) for the columns of a tile.
template <class T, class Term>
VAE_HD void column_sums(int64_t m, int64_t width, double* total, const Term& term) {
  for (int64_t c = 0; c < kTile; ++c) total[c] = 0;
  for (int64_t begin = 0; begin < m; begin += kBlockRows) {
    const int64_t end = begin + kBlockRows < m ? begin + kBlockRows : m;
    T block[kTile] = {};
    for (int64_t r = begin; r < end; ++r) {
#pragma omp simd
      for (int64_t c = 0; c < width; ++c) block[c] += term(r, c);
    }
    for (int64_t c = 0; c < width; ++c) total[c] += static_cast<double>(block[c]);
  }
}

template <class T>
struct ForwardTile {
  const T *x, *gamma, *beta;
  T *y, *mean, *rstd, *running_mean, *running_var;
  int64_t m, n, width;
  BatchNormRule rule;
};

template <class T>
VAE_CLONES void forward_tile(const ForwardTile<T> t) {
  double total[kTile];
  T mean[kTile] = {}, scale[kTile] = {}, shift[kTile] = {};
  column_sums<T>(t.m, t.width, total, [&](int64_t r, int64_t c) { return t.x[r * t.n + c]; });
  for (int64_t c = 0; c < t.width; ++c) mean[c] = static_cast<T>(total[c] / static_cast<double>(t.m));
  column_sums<T>(t.m, t.width, total, [&](int64_t r, int64_t c) {
    const T d = t.x[r * t.n + c] - mean[c];
    return d * d;
  });
  const double unbias = static_cast<double>(t.m) / static_cast<double>(t.m > 1 ? t.m - 1 : 1);
  for (int64_t c = 0; c < t.width; ++c) {
    const double var = total[c] / static_cast<double>(t.m);
    const T rstd = static_cast<T>(1 / std::sqrt(var + t.rule.eps));
    t.mean[c] = mean[c];
    t.rstd[c] = rstd;
    scale[c] = t.gamma[c] * rstd;
    shift[c] = t.beta[c];
    if (!t.running_mean) continue;
    const double kept = 1 - t.rule.momentum, extra = t.rule.running_var_includes_eps ? t.rule.eps : 0;
    t.running_mean[c] = static_cast<T>(kept * t.running_mean[c] + t.rule.momentum * mean[c]);
    t.running_var[c] = static_cast<T>(kept * t.running_var[c] + t.rule.momentum * unbias * (var + extra));
  }
  for (int64_t r = 0; r < t.m; ++r) {
#pragma omp simd
    for (int64_t c = 0; c < t.width; ++c)
      t.y[r * t.n + c] = (t.x[r * t.n + c] - mean[c]) * scale[c] + shift[c];
  }
}

template <class T>
struct BackwardTile {
  const T *dy, *x, *gamma, *mean, *rstd;
  T *dx, *dgamma, *dbeta;
  int64_t m, n, width;
  bool add_x, add_gamma, add_beta;
};

// dx = gamma rstd (dy - mean(dy) - xhat mean(dy xhat))
template <class T>
VAE_CLONES void backward_tile(const BackwardTile<T> t) {
  double sum_dy[kTile], sum_dy_xhat[kTile];
  column_sums<T>(t.m, t.width, sum_dy, [&](int64_t r, int64_t c) { return t.dy[r * t.n + c]; });
  column_sums<T>(t.m, t.width, sum_dy_xhat, [&](int64_t r, int64_t c) {
    return t.dy[r * t.n + c] * ((t.x[r * t.n + c] - t.mean[c]) * t.rstd[c]);
  });
  T scale[kTile] = {}, offset[kTile] = {}, slope[kTile] = {};
  for (int64_t c = 0; c < t.width; ++c) {
    t.dgamma[c] = static_cast<T>((t.add_gamma ? t.dgamma[c] : T(0)) + sum_dy_xhat[c]);
    t.dbeta[c] = static_cast<T>((t.add_beta ? t.dbeta[c] : T(0)) + sum_dy[c]);
    scale[c] = t.gamma[c] * t.rstd[c];
    offset[c] = static_cast<T>(sum_dy[c] / static_cast<double>(t.m));
    slope[c] = static_cast<T>(sum_dy_xhat[c] / static_cast<double>(t.m) * t.rstd[c]);
  }
  if (!t.dx) return;
  for (int64_t r = 0; r < t.m; ++r) {
#pragma omp simd
    for (int64_t c = 0; c < t.width; ++c) {
      const int64_t i = r * t.n + c;
      const T g = scale[c] * (t.dy[i] - offset[c] - (t.x[i] - t.mean[c]) * slope[c]);
      t.dx[i] = t.add_x ? t.dx[i] + g : g;
    }
  }
}

/// Calls body(first column, width) for all tiles in parallel.
template <class Body>
void for_tiles(int64_t m, int64_t n, const Body& body) {
  const int64_t tiles = (n + kTile - 1) / kTile;
  parallel_for(tiles, std::max<int64_t>(1, 16384 / (kTile * std::max<int64_t>(m, 1))),
               [&](int64_t begin, int64_t end) {
                 for (int64_t t = begin; t < end; ++t) body(t * kTile, std::min(kTile, n - t * kTile));
               });
}

template <class T>
T* at(const Tensor& tensor, int64_t offset) {
  return tensor.defined() ? tensor.data<T>() + offset : nullptr;
}

}  // namespace

void batch_norm_fwd(const BatchNormForward& f) {
  f.check();
  const int64_t n = columns_of(f.x.shape()), m = n ? f.x.numel() / n : 0;
  if (m == 0) return;
  dispatch_floating(f.x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_tiles(m, n, [&](int64_t c, int64_t width) {
      forward_tile<T>({at<T>(f.x, c), at<T>(f.gamma, c), at<T>(f.beta, c), at<T>(f.y, c), at<T>(f.mean, c),
                       at<T>(f.rstd, c), at<T>(f.running_mean, c), at<T>(f.running_var, c), m, n, width,
                       f.rule});
    });
  });
}

void batch_norm_bwd(const BatchNormBackward& b) {
  b.check();
  const int64_t n = columns_of(b.x.shape()), m = n ? b.x.numel() / n : 0;
  dispatch_floating(b.x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_tiles(m, n, [&](int64_t c, int64_t width) {
      backward_tile<T>({at<T>(b.dy, c), at<T>(b.x, c), at<T>(b.gamma, c), at<T>(b.mean, c), at<T>(b.rstd, c),
                        at<T>(b.dx, c), at<T>(b.dgamma, c), at<T>(b.dbeta, c), m, n, width,
                        b.write_x == Write::add, b.write_gamma == Write::add, b.write_beta == Write::add});
    });
  });
}

}  // namespace vae::kernels::cpu
