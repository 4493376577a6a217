// Batch norm on CUDA devices: a block takes a tile of columns and one part of the rows; the parts meet in a
// workspace, a second launch combines them in order, a third writes the m x n result. Statistics are in f64.
#include "kernels/cuda/reduce.h"
#include "kernels/elementwise/call.h"
#include "kernels/kernels.h"

namespace vae::kernels::VAE_GPU {
namespace {

constexpr int64_t kPart = 256;  // rows of one part

/// Number, mean and summed squared distance from the mean of some values.
struct Moments {
  double count, mean, m2;
};

/// Moments of two sets together (Chan, Golub and LeVeque, 1979).
struct Together {
  __device__ Moments operator()(Moments a, Moments b) const {
    if (b.count == 0) return a;
    if (a.count == 0) return b;
    const double count = a.count + b.count, d = b.mean - a.mean;
    return {count, a.mean + d * (b.count / count), a.m2 + b.m2 + d * d * (a.count * b.count / count)};
  }
};

/// Sums of g, the gradient of u, and of g xhat.
struct Sums {
  double g, g_xhat;
};

struct PlusSums {
  __device__ Sums operator()(Sums a, Sums b) const { return {a.g + b.g, a.g_xhat + b.g_xhat}; }
};

struct Rows {
  int64_t m, n, parts;
  int64_t stride;  ///< columns of x, of which the first n count
  __device__ int64_t begin(int64_t part) const { return part * kPart + threadIdx.y; }
  __device__ int64_t end(int64_t part) const { return (part + 1) * kPart < m ? (part + 1) * kPart : m; }
};

/// Calls body(part, c, c < n) for the parts and columns of this thread; all threads of a block together.
template <class Body>
__device__ void for_columns(Rows rows, const Body& body) {
  for (int64_t part = blockIdx.y; part < rows.parts; part += gridDim.y)
    for (int64_t c0 = int64_t{blockIdx.x} * kWarp; c0 < rows.n; c0 += step_x())
      body(part, c0 + threadIdx.x, c0 + threadIdx.x < rows.n);
}

/// Combines part[parts, n] over the parts; the threads of row 0 get the result.
template <class T, class Combine>
__device__ T combine_parts(const T* part, int64_t parts, int64_t n, int64_t c, bool inside, Combine combine) {
  T total{};
  if (inside)
    for (int64_t p = threadIdx.y; p < parts; p += kRowThreads) total = combine(total, part[p * n + c]);
  return column_reduce(total, combine);
}

template <class T>
__global__ void moments_of_parts(const T* x, Moments* out, Rows rows) {
  for_columns(rows, [&](int64_t part, int64_t c, bool inside) {
    Moments moments{};
    const int64_t begin = rows.begin(part), end = rows.end(part);
    if (inside && begin < end) {
      // A value of the column as the origin keeps the difference below free of cancellation.
      const double origin = static_cast<double>(x[begin * rows.stride + c]);
      double count = 0, sum = 0, squares = 0;
      for (int64_t r = begin; r < end; r += kRowThreads) {
        const double d = static_cast<double>(x[r * rows.stride + c]) - origin;
        count += 1;
        sum += d;
        squares += d * d;
      }
      const double m2 = squares - sum * sum / count;
      moments = {count, origin + sum / count, m2 < 0 ? 0 : m2};
    }
    moments = column_reduce(moments, Together{});
    if (inside && threadIdx.y == 0) out[part * rows.n + c] = moments;
  });
}

template <class T>
struct Forward {
  const T *x, *gamma, *beta;
  T *y, *mean, *rstd, *running_mean, *running_var;
  BatchNormRule rule;
  Constants<T> k;
};

template <class T>
__global__ void finish_forward(Forward<T> f, const Moments* part, Rows rows) {
  const Rows one{rows.m, rows.n, 1, rows.stride};
  for_columns(one, [&](int64_t, int64_t c, bool inside) {
    const Moments all = combine_parts(part, rows.parts, rows.n, c, inside, Together{});
    if (!inside || threadIdx.y != 0) return;
    const double rows_seen = all.count * f.rule.copies,
                 unbias = rows_seen / (rows_seen > 1 ? rows_seen - 1 : 1);
    const double var = all.m2 / all.count;
    f.mean[c] = static_cast<T>(all.mean);
    f.rstd[c] = static_cast<T>(1 / sqrt(var + f.rule.eps));
    if (!f.running_mean) return;
    const double kept = 1 - f.rule.momentum, extra = f.rule.running_var_includes_eps ? f.rule.eps : 0;
    f.running_mean[c] = static_cast<T>(kept * f.running_mean[c] + f.rule.momentum * all.mean);
    f.running_var[c] = static_cast<T>(kept * f.running_var[c] + f.rule.momentum * unbias * (var + extra));
  });
}

template <class Op, class T>
__global__ void normalise(Forward<T> f, Rows rows) {
  for_columns(rows, [&](int64_t part, int64_t c, bool inside) {
    if (!inside) return;
    const T mean = f.mean[c], scale = f.gamma[c] * f.rstd[c], shift = f.beta[c];
    for (int64_t r = rows.begin(part); r < rows.end(part); r += kRowThreads)
      f.y[r * rows.n + c] = Op::fwd((f.x[r * rows.stride + c] - mean) * scale + shift, f.k);
  });
}

template <class T>
struct Backward {
  const T *dy, *x, *gamma, *mean, *rstd, *beta, *y;
  T *dx, *dgamma, *dbeta;
  bool add_x, add_gamma, add_beta;
  Constants<T> k;
};

/// Gradient of u at element i of column c, where x has a value.
template <class Op, class T>
__device__ T gradient_of_u(const Backward<T>& b, int64_t i, int64_t c, T x) {
  if constexpr (std::is_same_v<Op, Identity>)
    return b.dy[i];
  else
    return b.dy[i] * Op::d0((x - b.mean[c]) * (b.gamma[c] * b.rstd[c]) + b.beta[c], b.y[i], b.k);
}

template <class Op, class T>
__global__ void sums_of_parts(Backward<T> b, Sums* out, Rows rows) {
  for_columns(rows, [&](int64_t part, int64_t c, bool inside) {
    Sums sums{};
    if (inside) {
      const T mean = b.mean[c], rstd = b.rstd[c];
      for (int64_t r = rows.begin(part); r < rows.end(part); r += kRowThreads) {
        const T x = b.x[r * rows.stride + c], g = gradient_of_u<Op>(b, r * rows.n + c, c, x);
        sums.g += static_cast<double>(g);
        sums.g_xhat += static_cast<double>(g * ((x - mean) * rstd));
      }
    }
    sums = column_reduce(sums, PlusSums{});
    if (inside && threadIdx.y == 0) out[part * rows.n + c] = sums;
  });
}

/// Writes dgamma and dbeta, and the sums of all rows to total[n].
template <class T>
__global__ void finish_backward(Backward<T> b, const Sums* part, Sums* total, Rows rows) {
  const Rows one{rows.m, rows.n, 1, rows.stride};
  for_columns(one, [&](int64_t, int64_t c, bool inside) {
    const Sums all = combine_parts(part, rows.parts, rows.n, c, inside, PlusSums{});
    if (!inside || threadIdx.y != 0) return;
    b.dgamma[c] = static_cast<T>((b.add_gamma ? b.dgamma[c] : T(0)) + all.g_xhat);
    b.dbeta[c] = static_cast<T>((b.add_beta ? b.dbeta[c] : T(0)) + all.g);
    total[c] = all;
  });
}

// dx = gamma rstd (g - mean(g) - xhat mean(g xhat))
template <class Op, class T>
__global__ void gradient_of_input(Backward<T> b, const Sums* total, Rows rows) {
  for_columns(rows, [&](int64_t part, int64_t c, bool inside) {
    if (!inside) return;
    const double m = static_cast<double>(rows.m);
    const T mean = b.mean[c], rstd = b.rstd[c], scale = b.gamma[c] * rstd;
    const T offset = static_cast<T>(total[c].g / m), slope = static_cast<T>(total[c].g_xhat / m * rstd);
    for (int64_t r = rows.begin(part); r < rows.end(part); r += kRowThreads) {
      const int64_t i = r * rows.stride + c;
      const T x = b.x[i], g = gradient_of_u<Op>(b, r * rows.n + c, c, x);
      const T d = scale * (g - offset - (x - mean) * slope);
      b.dx[i] = b.add_x ? b.dx[i] + d : d;
    }
  });
}

Rows in_parts(const Tensor& x, const Tensor& gamma) {
  const int64_t m = rows_of(x.shape());
  return {m, gamma.numel(), (m + kPart - 1) / kPart, columns_of(x.shape())};
}

template <class T>
T* data(const Tensor& tensor) {
  return tensor.defined() ? tensor.data<T>() : nullptr;
}

/// `count` values of T[n], as f64 elements of the caching allocator.
template <class T>
Tensor workspace(const Tensor& like, int64_t count, int64_t n) {
  return Tensor::empty({count, n, sizeof(T) / sizeof(double)}, DType::f64, like.device());
}

}  // namespace

void batch_norm_fwd(const BatchNormForward& f) {
  f.check();
  const Rows rows = in_parts(f.x, f.gamma);
  if (rows.m == 0) return;
  const OnDevice gpu(f.x);
  const Tensor parts = workspace<Moments>(f.x, rows.parts, rows.n);
  auto* moments = static_cast<Moments*>(parts.raw());
  dispatch_floating(f.x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const Forward<T> args{data<T>(f.x),
                          data<T>(f.gamma),
                          data<T>(f.beta),
                          data<T>(f.y),
                          data<T>(f.mean),
                          data<T>(f.rstd),
                          data<T>(f.running_mean),
                          data<T>(f.running_var),
                          f.rule,
                          constants_of<T>(f.activation.params)};
    const LaunchConfig tiles = gpu.columns(rows.n, rows.parts);
    launch("batch_norm_fwd moments", moments_of_parts<T>, tiles, args.x, moments, rows);
    launch("batch_norm_fwd finish", finish_forward<T>, gpu.columns(rows.n, 1), args, moments, rows);
    dispatch_activation(f.activation, [&](auto op) {
      launch("batch_norm_fwd", normalise<decltype(op), T>, tiles, args, rows);
    });
  });
}

void batch_norm_bwd(const BatchNormBackward& b) {
  b.check();
  const Rows rows = in_parts(b.x, b.gamma);
  const OnDevice gpu(b.x);
  const Tensor parts = workspace<Sums>(b.x, rows.parts, rows.n), total = workspace<Sums>(b.x, 1, rows.n);
  auto* sums = static_cast<Sums*>(parts.raw());
  auto* all = static_cast<Sums*>(total.raw());
  dispatch_floating(b.x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const Backward<T> args{data<T>(b.dy),
                           data<T>(b.x),
                           data<T>(b.gamma),
                           data<T>(b.mean),
                           data<T>(b.rstd),
                           data<T>(b.beta),
                           data<T>(b.y),
                           data<T>(b.dx),
                           data<T>(b.dgamma),
                           data<T>(b.dbeta),
                           b.write_x == Write::add,
                           b.write_gamma == Write::add,
                           b.write_beta == Write::add,
                           constants_of<T>(b.activation.params)};
    const LaunchConfig tiles = gpu.columns(rows.n, rows.parts);
    dispatch_activation(b.activation, [&](auto op) {
      using Op = decltype(op);
      launch("batch_norm_bwd sums", sums_of_parts<Op, T>, tiles, args, sums, rows);
      launch("batch_norm_bwd finish", finish_backward<T>, gpu.columns(rows.n, 1), args, sums, all, rows);
      if (args.dx) launch("batch_norm_bwd", gradient_of_input<Op, T>, tiles, args, all, rows);
    });
  });
}

}  // namespace vae::kernels::VAE_GPU
