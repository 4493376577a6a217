// Batch norm on the CPU, in two sweeps over the rows: threads take parts of them, fixed by size alone, and
// find each part again in their cache in the second sweep. Sums are kept in blocks of the element type and
// across blocks in f64; the parts are combined in order.
#include <cmath>

#include "kernels/elementwise/call.h"
#include "kernels/kernels.h"
#include "kernels/simd.h"
#include "tensor/communicator.h"
#include "tensor/parallel.h"

namespace vae::kernels::cpu {
namespace {

constexpr int64_t kTile = 64;             // columns summed together
constexpr int64_t kBlockRows = 32;        // rows summed in the element type
constexpr int64_t kPartElements = 16384;  // of a part, at least

struct Parts {
  int64_t m, n;
  int64_t stride;  ///< columns of x, of which the first n count
  int64_t rows, count;
  Parts(const Tensor& x, const Tensor& gamma)
      : m(rows_of(x.shape())),
        n(gamma.numel()),
        stride(columns_of(x.shape())),
        rows(std::max<int64_t>(2 * kBlockRows, kPartElements / std::max<int64_t>(n, 1))),
        count(n ? (m + rows - 1) / rows : 0) {}
  /// Calls body(part, first row, number of rows) in parallel.
  template <class Body>
  void for_each(const Body& body) const {
    parallel_for(count, 1, [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p) body(p, p * rows, std::min(rows, m - p * rows));
    });
  }
};

/// Two f64 numbers of every column of every part: [parts, 2, n]. Those of no rows are 0.
class PartSums {
 public:
  explicit PartSums(const Parts& parts)
      : n_(parts.n), memory_(Tensor::empty({std::max<int64_t>(1, parts.count), 2, parts.n}, DType::f64)) {
    if (parts.count == 0) memory_.zero();
  }
  double* first(int64_t part) const { return memory_.data<double>() + 2 * part * n_; }
  double* second(int64_t part) const { return first(part) + n_; }

 private:
  int64_t n_;
  Tensor memory_;
};

/// a[c], b[c] = sums over rows [begin, end) of what term(r, c, a, b) adds to them.
template <class T, class Term>
VAE_HD void block_sums(int64_t begin, int64_t end, int64_t width, T* a, T* b, const Term& term) {
  for (int64_t c = 0; c < kTile; ++c) a[c] = b[c] = 0;
  for (int64_t r = begin; r < end; ++r) {
#pragma omp simd
    for (int64_t c = 0; c < width; ++c) term(r, c, a[c], b[c]);
  }
}

/// Mean of the columns of a part, and summed squared distance from it. Distances are taken from the first row
/// of each block in the element type, from the first row of the part in f64, so that little cancels.
template <class T>
VAE_CLONES void part_moments(const T* x, int64_t rows, int64_t n, int64_t stride, double* mean, double* m2) {
  for (int64_t c0 = 0; c0 < n; c0 += kTile) {
    const int64_t width = n - c0 < kTile ? n - c0 : kTile;
    double sum[kTile] = {}, squares[kTile] = {};
    for (int64_t begin = 0; begin < rows; begin += kBlockRows) {
      const int64_t end = begin + kBlockRows < rows ? begin + kBlockRows : rows;
      const T *tile = x + c0, *origin = tile + begin * stride;
      T s[kTile], q[kTile];
      block_sums(begin, end, width, s, q, [=](int64_t r, int64_t c, T& sum_d, T& sum_d2) {
        const T d = tile[r * stride + c] - origin[c];
        sum_d += d;
        sum_d2 += d * d;
      });
      const auto count = static_cast<double>(end - begin);
      for (int64_t c = 0; c < width; ++c) {
        const double shift = static_cast<double>(origin[c]) - static_cast<double>(tile[c]);
        sum[c] += s[c] + count * shift;
        squares[c] += q[c] + shift * (2 * static_cast<double>(s[c]) + count * shift);
      }
    }
    const auto count = static_cast<double>(rows);
    for (int64_t c = 0; c < width; ++c) {
      const double left = squares[c] - sum[c] * sum[c] / count;
      mean[c0 + c] = static_cast<double>(x[c0 + c]) + sum[c] / count;
      m2[c0 + c] = left < 0 ? 0 : left;
    }
  }
}

template <class T>
struct Forward {
  const T *x, *gamma, *beta;
  T *y, *mean, *rstd, *running_mean, *running_var;
  BatchNormRule rule;
  Constants<T> k;
};

/// Adds the moments of a part to those of the rows before it (Chan, Golub and LeVeque, 1979).
VAE_CLONES void add_moments(double before, double rows, const double* part_mean, const double* part_m2,
                            int64_t n, double* mean, double* m2) {
  const double share = rows / (before + rows);
#pragma omp simd
  for (int64_t c = 0; c < n; ++c) {
    const double d = part_mean[c] - mean[c];
    mean[c] += d * share;
    m2[c] += part_m2[c] + d * d * (before * share);
  }
}

/// Combines the moments of the rows at hand with those of the other ranks, in order. Returns the rows of all.
double gather_moments(parallel::Communicator& ranks, const Parts& parts, double* mean, double* m2) {
  const int64_t n = parts.n, width = 1 + 2 * n;
  const Tensor own = Tensor::empty({1, width}, DType::f64),
               all = Tensor::empty({ranks.size(), width}, DType::f64);
  auto* const of_rank = own.data<double>();
  of_rank[0] = static_cast<double>(parts.m);
  std::copy_n(mean, n, of_rank + 1), std::copy_n(m2, n, of_rank + 1 + n);
  ranks.all_gather(own, all);
  std::fill_n(mean, n, 0.0), std::fill_n(m2, n, 0.0);
  double rows = 0;
  for (int r = 0; r < ranks.size(); ++r) {
    const double* of = all.data<double>() + r * width;
    if (of[0] == 0) continue;
    add_moments(rows, of[0], of + 1, of + 1 + n, n, mean, m2);
    rows += of[0];
  }
  return rows;
}

template <class T>
void finish_forward(const Forward<T>& f, const Parts& parts, const PartSums& sums,
                    parallel::Communicator* ranks) {
  double *mean = sums.first(0), *m2 = sums.second(0);
  for (int64_t p = 1; p < parts.count; ++p)
    add_moments(static_cast<double>(p * parts.rows),
                static_cast<double>(std::min(parts.rows, parts.m - p * parts.rows)), sums.first(p),
                sums.second(p), parts.n, mean, m2);
  const double m = ranks ? gather_moments(*ranks, parts, mean, m2) : static_cast<double>(parts.m);
  if (m == 0) return;  // no rank has rows
  const double rows = m * f.rule.copies, unbias = rows / (rows > 1 ? rows - 1 : 1);
  const double kept = 1 - f.rule.momentum, extra = f.rule.running_var_includes_eps ? f.rule.eps : 0;
  for (int64_t c = 0; c < parts.n; ++c) {
    const double var = m2[c] / m;
    f.mean[c] = static_cast<T>(mean[c]);
    f.rstd[c] = static_cast<T>(1 / std::sqrt(var + f.rule.eps));
    if (!f.running_mean) continue;
    f.running_mean[c] = static_cast<T>(kept * f.running_mean[c] + f.rule.momentum * mean[c]);
    f.running_var[c] = static_cast<T>(kept * f.running_var[c] + f.rule.momentum * unbias * (var + extra));
  }
}

template <class T>
VAE_HD T normalised(const T* x, const T* gamma, const T* beta, const T* mean, const T* rstd, int64_t c) {
  return (x[c] - mean[c]) * (gamma[c] * rstd[c]) + beta[c];
}

template <class Op, class T>
VAE_CLONES void forward_rows(const Forward<T> f, int64_t begin, int64_t rows, int64_t n, int64_t stride) {
  for (int64_t r = begin; r < begin + rows; ++r) {
    const T* x = f.x + r * stride;
#pragma omp simd
    for (int64_t c = 0; c < n; ++c)
      f.y[r * n + c] = Op::fwd(normalised(x, f.gamma, f.beta, f.mean, f.rstd, c), f.k);
  }
}

template <class T>
struct Backward {
  const T *dy, *x, *y, *gamma, *beta, *mean, *rstd;
  T *dx, *dgamma, *dbeta;
  T *g, *offset, *slope;  // gradient of u, which is dy without an activation; of dx, by column
  bool add_x, add_gamma, add_beta;
  Constants<T> k;
};

/// g = dy f'(u) on a part, and its sums and those of g xhat over the columns.
template <class Op, class T>
VAE_CLONES void part_gradients(const Backward<T> b, int64_t first, int64_t rows, int64_t n, int64_t stride,
                               double* sum, double* dot) {
  for (int64_t c = 0; c < n; ++c) sum[c] = dot[c] = 0;
  for (int64_t c0 = 0; c0 < n; c0 += kTile) {
    const int64_t width = n - c0 < kTile ? n - c0 : kTile;
    for (int64_t begin = 0; begin < rows; begin += kBlockRows) {
      const int64_t end = begin + kBlockRows < rows ? begin + kBlockRows : rows;
      T s[kTile], d[kTile];
      block_sums(first + begin, first + end, width, s, d,
                 [=](int64_t r, int64_t column, T& sum_g, T& sum_dot) {
                   const int64_t c = c0 + column, i = r * n + c;
                   const T* x = b.x + r * stride;
                   T g = b.dy[i];
                   if constexpr (!std::is_same_v<Op, Identity>) {
                     g *= Op::d0(normalised(x, b.gamma, b.beta, b.mean, b.rstd, c), b.y[i], b.k);
                     b.g[i] = g;
                   }
                   sum_g += g;
                   sum_dot += g * ((x[c] - b.mean[c]) * b.rstd[c]);
                 });
      for (int64_t c = 0; c < width; ++c) sum[c0 + c] += s[c], dot[c0 + c] += d[c];
    }
  }
}

template <class T>
void finish_backward(const Backward<T>& b, const Parts& parts, const PartSums& sums,
                     parallel::Communicator* ranks) {
  const int64_t n = parts.n;
  const Tensor totals = Tensor::empty({2 * n + 1}, DType::f64);  // of g, of g xhat, and the rows
  auto *const sum = totals.data<double>(), *const dot = sum + n, *const rows = dot + n;
  *rows = static_cast<double>(parts.m);
  for (int64_t c = 0; c < n; ++c) {
    sum[c] = dot[c] = 0;
    for (int64_t p = 0; p < parts.count; ++p) sum[c] += sums.first(p)[c], dot[c] += sums.second(p)[c];
    b.dgamma[c] = static_cast<T>((b.add_gamma ? b.dgamma[c] : T(0)) + dot[c]);
    b.dbeta[c] = static_cast<T>((b.add_beta ? b.dbeta[c] : T(0)) + sum[c]);
  }
  if (ranks) ranks->all_reduce(totals);
  for (int64_t c = 0; c < n; ++c) {
    b.offset[c] = static_cast<T>(sum[c] / *rows);
    b.slope[c] = static_cast<T>(dot[c] / *rows * b.rstd[c]);
  }
}

// dx = gamma rstd (g - mean(g) - xhat mean(g xhat))
template <class T>
VAE_CLONES void backward_rows(const Backward<T> b, int64_t begin, int64_t rows, int64_t n, int64_t stride) {
  for (int64_t r = begin; r < begin + rows; ++r) {
#pragma omp simd
    for (int64_t c = 0; c < n; ++c) {
      const int64_t i = r * stride + c;
      const T d = b.gamma[c] * b.rstd[c] * (b.g[r * n + c] - b.offset[c] - (b.x[i] - b.mean[c]) * b.slope[c]);
      b.dx[i] = b.add_x ? b.dx[i] + d : d;
    }
  }
}

template <class T>
void backward(const Backward<T>& b, const Parts& parts, const Activation& activation,
              parallel::Communicator* ranks) {
  const PartSums sums(parts);
  dispatch_activation(activation, [&](auto op) {
    parts.for_each([&](int64_t p, int64_t begin, int64_t rows) {
      part_gradients<decltype(op)>(b, begin, rows, parts.n, parts.stride, sums.first(p), sums.second(p));
    });
  });
  finish_backward(b, parts, sums, ranks);
  if (b.dx)
    parts.for_each(
        [&](int64_t, int64_t begin, int64_t rows) { backward_rows(b, begin, rows, parts.n, parts.stride); });
}

template <class T>
T* at(const Tensor& tensor) {
  return tensor.defined() ? tensor.data<T>() : nullptr;
}

}  // namespace

void batch_norm_fwd(const BatchNormForward& f) {
  f.check();
  const Parts parts(f.x, f.gamma);
  if (parts.count == 0 && !f.ranks) return;
  dispatch_floating(f.x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const Forward<T> args{at<T>(f.x),
                          at<T>(f.gamma),
                          at<T>(f.beta),
                          at<T>(f.y),
                          at<T>(f.mean),
                          at<T>(f.rstd),
                          at<T>(f.running_mean),
                          at<T>(f.running_var),
                          f.rule,
                          constants_of<T>(f.activation.params)};
    const PartSums sums(parts);
    parts.for_each([&](int64_t p, int64_t begin, int64_t rows) {
      part_moments(args.x + begin * parts.stride, rows, parts.n, parts.stride, sums.first(p), sums.second(p));
    });
    finish_forward(args, parts, sums, f.ranks);
    dispatch_activation(f.activation, [&](auto op) {
      parts.for_each([&](int64_t, int64_t begin, int64_t rows) {
        forward_rows<decltype(op)>(args, begin, rows, parts.n, parts.stride);
      });
    });
  });
}

void batch_norm_bwd(const BatchNormBackward& b) {
  b.check();
  const Parts parts(b.x, b.gamma);
  dispatch_floating(b.x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const Tensor columns = Tensor::empty({2, parts.n}, b.x.dtype());
    const bool free_dx = b.dx.defined() && b.write_x == Write::set && parts.stride == parts.n;
    const Tensor g = !b.activation.function ? b.dy
                     : free_dx              ? b.dx
                                            : Tensor::empty(b.dy.shape(), b.x.dtype());
    const Backward<T> args{.dy = at<T>(b.dy),
                           .x = at<T>(b.x),
                           .y = at<T>(b.y),
                           .gamma = at<T>(b.gamma),
                           .beta = at<T>(b.beta),
                           .mean = at<T>(b.mean),
                           .rstd = at<T>(b.rstd),
                           .dx = at<T>(b.dx),
                           .dgamma = at<T>(b.dgamma),
                           .dbeta = at<T>(b.dbeta),
                           .g = at<T>(g),
                           .offset = at<T>(columns),
                           .slope = at<T>(columns) + parts.n,
                           .add_x = b.write_x == Write::add,
                           .add_gamma = b.write_gamma == Write::add,
                           .add_beta = b.write_beta == Write::add,
                           .k = constants_of<T>(b.activation.params)};
    backward(args, parts, b.activation, b.ranks);
  });
}

}  // namespace vae::kernels::cpu
