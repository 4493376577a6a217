// Batch norm on CUDA devices. Of few rows a block takes all, of a tile of columns, in one launch. Where there
// are more, a block takes a tile of columns and one part of the rows; the parts meet in a workspace, and each
// block of the second launch, which writes the m x n result, combines those of its columns in order. Where
// the rows lie on several ranks, theirs meet between the two. Statistics are in f64.
#include "kernels/cuda/pack.h"
#include "kernels/cuda/reduce.h"
#include "kernels/elementwise/call.h"
#include "kernels/kernels.h"
#include "tensor/communicator.h"

namespace vae::kernels::VAE_GPU {
namespace {

constexpr int64_t kFewRows = 2048;   // of which a block takes a tile of columns alone
constexpr int64_t kPart = 256;       // rows of a part at least
constexpr int64_t kParts = 64;       // at most
constexpr int64_t kBlockRows = 512;  // of the result that a block writes

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

__device__ inline Moments shuffle_xor(Moments m, int mask) {
  return {VAE_GPU::shuffle_xor(m.count, mask), VAE_GPU::shuffle_xor(m.mean, mask),
          VAE_GPU::shuffle_xor(m.m2, mask)};
}

/// Sums of g, the gradient of u, and of g xhat.
struct Sums {
  double g, g_xhat;
};

__device__ inline Sums shuffle_xor(Sums s, int mask) {
  return {VAE_GPU::shuffle_xor(s.g, mask), VAE_GPU::shuffle_xor(s.g_xhat, mask)};
}

struct PlusSums {
  __device__ Sums operator()(Sums a, Sums b) const { return {a.g + b.g, a.g_xhat + b.g_xhat}; }
};

struct Rows {
  int64_t m, n, parts;
  int64_t stride;  ///< columns of x, of which the first n count
  int64_t part;    ///< rows of a part
  __device__ int64_t begin(int64_t p) const { return p * part + threadIdx.y; }
  __device__ int64_t end(int64_t p) const { return (p + 1) * part < m ? (p + 1) * part : m; }
};

/// Calls body(part, c, c < n) for the parts and columns of this thread; all threads of a block together.
template <class Body>
__device__ void for_columns(Rows rows, const Body& body) {
  for (int64_t part = blockIdx.y; part < rows.parts; part += gridDim.y)
    for (int64_t c0 = int64_t{blockIdx.x} * kTileColumns; c0 < rows.n; c0 += step_x())
      body(part, c0 + threadIdx.x, c0 + threadIdx.x < rows.n);
}

/// Combines what the parts say of column c; all threads of a column of the tile get the result.
template <class T, class Combine>
__device__ T combine_parts(const T* of_parts, const Rows& rows, int64_t c, bool inside, Combine combine) {
  T total{};
  if (inside)
    for (int64_t p = threadIdx.y; p < rows.parts; p += kTileRows)
      total = combine(total, of_parts[p * rows.n + c]);
  return tile_reduce(total, combine);
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
      for (int64_t r = begin; r < end; r += kTileRows) {
        const double d = static_cast<double>(x[r * rows.stride + c]) - origin;
        count += 1;
        sum += d;
        squares += d * d;
      }
      const double m2 = squares - sum * sum / count;
      moments = {count, origin + sum / count, m2 < 0 ? 0 : m2};
    }
    moments = tile_reduce(moments, Together{});
    if (inside && threadIdx.y == 0) out[part * rows.n + c] = moments;
  });
}

__global__ void combine_moments(const Moments* part, Moments* out, Rows rows) {
  for_columns({rows.m, rows.n, 1, rows.stride, rows.part}, [&](int64_t, int64_t c, bool inside) {
    const Moments all = combine_parts(part, rows, c, inside, Together{});
    if (inside && threadIdx.y == 0) out[c] = all;
  });
}

template <class T>
struct Forward {
  const T *x, *gamma, *beta;
  T *y, *mean, *rstd, *running_mean, *running_var;
  BatchNormRule rule;
  Constants<T> k;
};

/// Mean and 1 / sqrt(var + eps) of column c over m rows, and the running statistics. Biased variance.
template <class T>
__device__ void put_statistics(const Forward<T>& f, int64_t c, double m, double mean, double var) {
  const double rows_seen = m * f.rule.copies, unbias = rows_seen / (rows_seen > 1 ? rows_seen - 1 : 1);
  f.mean[c] = static_cast<T>(mean);
  f.rstd[c] = static_cast<T>(1 / sqrt(var + f.rule.eps));
  if (!f.running_mean) return;
  const double kept = 1 - f.rule.momentum, extra = f.rule.running_var_includes_eps ? f.rule.eps : 0;
  f.running_mean[c] = static_cast<T>(kept * f.running_mean[c] + f.rule.momentum * mean);
  f.running_var[c] = static_cast<T>(kept * f.running_var[c] + f.rule.momentum * unbias * (var + extra));
}

/// The whole pass where there are few rows: a block takes all of a tile of columns, and finds them in its
/// cache when it comes back for the distances from the mean and for the result.
template <class Op, class T>
__global__ void forward_tile(Forward<T> f, Rows rows) {
  const double m = static_cast<double>(rows.m);
  for (int64_t c0 = int64_t{blockIdx.x} * kTileColumns; c0 < rows.n; c0 += step_x()) {
    const int64_t c = c0 + threadIdx.x, end = c < rows.n ? rows.m : 0;
    const T* x = f.x + c;
    double sum = 0, squares = 0;
#pragma unroll 8
    for (int64_t r = threadIdx.y; r < end; r += kTileRows) sum += static_cast<double>(x[r * rows.stride]);
    const double mean = tile_reduce(sum, Plus{}) / m;
#pragma unroll 8
    for (int64_t r = threadIdx.y; r < end; r += kTileRows) {
      const double d = static_cast<double>(x[r * rows.stride]) - mean;
      squares += d * d;
    }
    const double var = tile_reduce(squares, Plus{}) / m;
    if (c >= rows.n) continue;
    if (threadIdx.y == 0) put_statistics(f, c, m, mean, var);
    const T centre = static_cast<T>(mean), shift = f.beta[c],
            scale = f.gamma[c] * static_cast<T>(1 / sqrt(var + f.rule.eps));
#pragma unroll 4
    for (int64_t r = threadIdx.y; r < end; r += kTileRows)
      f.y[r * rows.n + c] = Op::fwd((x[r * rows.stride] - centre) * scale + shift, f.k);
  }
}

/// A thread takes `width` columns of a tile, and the blocks of a tile share its rows.
template <class Op, int width, class T>
__global__ void normalise(Forward<T> f, const Moments* of_parts, Rows rows) {
  for (int64_t c0 = int64_t{blockIdx.x} * kTileColumns; c0 * width < rows.n; c0 += step_x()) {
    const int64_t c = (c0 + threadIdx.x) * width;
    const bool inside = c < rows.n;
    Elements<T, width> mean{}, scale{}, shift{};
    for (int i = 0; i < width; ++i) {
      const Moments all = combine_parts(of_parts, rows, c + i, inside, Together{});
      if (!inside || all.count == 0) continue;  // no rank has rows
      const double var = all.m2 / all.count;
      if (blockIdx.y == 0 && threadIdx.y == 0) put_statistics(f, c + i, all.count, all.mean, var);
      mean.v[i] = static_cast<T>(all.mean), shift.v[i] = f.beta[c + i];
      scale.v[i] = f.gamma[c + i] * static_cast<T>(1 / sqrt(var + f.rule.eps));
    }
    if (!inside) continue;
    for (int64_t r = first_y(); r < rows.m; r += step_y()) {
      auto u = load<width>(f.x + r * rows.stride + c);
      for (int i = 0; i < width; ++i) u.v[i] = Op::fwd((u.v[i] - mean.v[i]) * scale.v[i] + shift.v[i], f.k);
      store(f.y + r * rows.n + c, u);
    }
  }
}

template <class T>
struct Backward {
  const T *dy, *x, *gamma, *mean, *rstd, *beta, *y;
  T *dx, *dgamma, *dbeta;
  bool add_x, add_gamma, add_beta;
  Constants<T> k;
};

/// Gradient of u in column c, where x, dy and y have these values.
template <class Op, class T>
__device__ T gradient_of_u(const Backward<T>& b, int64_t c, T x, T dy, T y) {
  if constexpr (std::is_same_v<Op, Identity>)
    return dy;
  else
    return dy * Op::d0((x - b.mean[c]) * (b.gamma[c] * b.rstd[c]) + b.beta[c], y, b.k);
}

/// The same at element i.
template <class Op, class T>
__device__ T gradient_of_u(const Backward<T>& b, int64_t i, int64_t c, T x) {
  return gradient_of_u<Op>(b, c, x, b.dy[i], std::is_same_v<Op, Identity> ? T(0) : b.y[i]);
}

template <class Op, class T>
__global__ void sums_of_parts(Backward<T> b, Sums* out, Rows rows) {
  for_columns(rows, [&](int64_t part, int64_t c, bool inside) {
    Sums sums{};
    if (inside) {
      const T mean = b.mean[c], rstd = b.rstd[c];
      for (int64_t r = rows.begin(part); r < rows.end(part); r += kTileRows) {
        const T x = b.x[r * rows.stride + c], g = gradient_of_u<Op>(b, r * rows.n + c, c, x);
        sums.g += static_cast<double>(g);
        sums.g_xhat += static_cast<double>(g * ((x - mean) * rstd));
      }
    }
    sums = tile_reduce(sums, PlusSums{});
    if (inside && threadIdx.y == 0) out[part * rows.n + c] = sums;
  });
}

template <class T>
__device__ void put_gradients(const Backward<T>& b, int64_t c, Sums all) {
  b.dgamma[c] = static_cast<T>((b.add_gamma ? b.dgamma[c] : T(0)) + all.g_xhat);
  b.dbeta[c] = static_cast<T>((b.add_beta ? b.dbeta[c] : T(0)) + all.g);
}

/// Of a part of a batch: writes dgamma and dbeta, and to total[n + 1] its sums and, behind them, its number
/// of rows.
template <class T>
__global__ void combine_sums(Backward<T> b, const Sums* of_parts, Sums* total, Rows rows) {
  for_columns({rows.m, rows.n, 1, rows.stride, rows.part}, [&](int64_t, int64_t c, bool inside) {
    const Sums all = combine_parts(of_parts, rows, c, inside, PlusSums{});
    if (!inside || threadIdx.y != 0) return;
    put_gradients(b, c, all);
    total[c] = all;
    if (c == 0) total[rows.n] = {static_cast<double>(rows.m), 0};
  });
}

/// dx = gamma rstd (g - mean(g) - xhat mean(g xhat)), columns and rows as of normalise(). Where ranks have
/// combined their sums, `count` is the number of their rows.
template <class Op, int width, class T>
__global__ void gradient_of_input(Backward<T> b, const Sums* of_parts, Rows rows, const Sums* count) {
  const double m = count ? count->g : static_cast<double>(rows.m);
  for (int64_t c0 = int64_t{blockIdx.x} * kTileColumns; c0 * width < rows.n; c0 += step_x()) {
    const int64_t c = (c0 + threadIdx.x) * width;
    const bool inside = c < rows.n;
    Elements<T, width> offset{}, slope{};
    for (int i = 0; i < width; ++i) {
      const Sums all = combine_parts(of_parts, rows, c + i, inside, PlusSums{});
      if (!inside) continue;
      if (!count && blockIdx.y == 0 && threadIdx.y == 0) put_gradients(b, c + i, all);
      offset.v[i] = static_cast<T>(all.g / m);
      slope.v[i] = static_cast<T>(all.g_xhat / m * b.rstd[c + i]);
    }
    if (!inside || !b.dx) continue;
    const auto mean = load<width>(b.mean + c), rstd = load<width>(b.rstd + c),
               gamma = load<width>(b.gamma + c);
    for (int64_t r = first_y(); r < rows.m; r += step_y()) {
      T* const to = b.dx + r * rows.stride + c;
      const auto x = load<width>(b.x + r * rows.stride + c), dy = load<width>(b.dy + r * rows.n + c);
      auto y = dy;
      if constexpr (!std::is_same_v<Op, Identity>) y = load<width>(b.y + r * rows.n + c);
      Elements<T, width> dx{};
      if (b.add_x) dx = load<width>(to);
      for (int i = 0; i < width; ++i) {
        const T g = gradient_of_u<Op>(b, c + i, x.v[i], dy.v[i], y.v[i]);
        dx.v[i] += gamma.v[i] * rstd.v[i] * (g - offset.v[i] - (x.v[i] - mean.v[i]) * slope.v[i]);
      }
      store(to, dx);
    }
  }
}

/// The whole pass where there are few rows, as forward_tile().
template <class Op, class T>
__global__ void backward_tile(Backward<T> b, Rows rows) {
  const double m = static_cast<double>(rows.m);
  for (int64_t c0 = int64_t{blockIdx.x} * kTileColumns; c0 < rows.n; c0 += step_x()) {
    const int64_t c = c0 + threadIdx.x, end = c < rows.n ? rows.m : 0;
    const T mean = end ? b.mean[c] : T(0), rstd = end ? b.rstd[c] : T(0);
    Sums sums{};
#pragma unroll 4
    for (int64_t r = threadIdx.y; r < end; r += kTileRows) {
      const T x = b.x[r * rows.stride + c], g = gradient_of_u<Op>(b, r * rows.n + c, c, x);
      sums.g += static_cast<double>(g);
      sums.g_xhat += static_cast<double>(g * ((x - mean) * rstd));
    }
    sums = {tile_reduce(sums.g, Plus{}), tile_reduce(sums.g_xhat, Plus{})};
    if (c >= rows.n) continue;
    if (threadIdx.y == 0) put_gradients(b, c, sums);
    if (!b.dx) continue;
    const T scale = b.gamma[c] * rstd, offset = static_cast<T>(sums.g / m),
            slope = static_cast<T>(sums.g_xhat / m * rstd);
#pragma unroll 4
    for (int64_t r = threadIdx.y; r < end; r += kTileRows) {
      const T x = b.x[r * rows.stride + c], g = gradient_of_u<Op>(b, r * rows.n + c, c, x);
      T& dx = b.dx[r * rows.stride + c];
      const T d = scale * (g - offset - (x - mean) * slope);
      dx = b.add_x ? dx + d : d;
    }
  }
}

Rows in_parts(const Tensor& x, const Tensor& gamma) {
  const int64_t m = rows_of(x.shape()), part = std::max(kPart, (m + kParts - 1) / kParts);
  return {m, gamma.numel(), (m + part - 1) / part, columns_of(x.shape()), part};
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

/// Launches `packs` where the columns are whole packs, else `ones`.
template <class T, class Kernel, class... Args>
void launch_elements(const char* name, Kernel* packs, Kernel* ones, const OnDevice& gpu, const Rows& rows,
                     bool aligned, const Args&... args) {
  constexpr int64_t size = Pack<T>::size;
  const bool whole = aligned && rows.n % size == 0 && rows.stride % size == 0;
  const int64_t blocks = std::max<int64_t>(1, (rows.m + kBlockRows - 1) / kBlockRows);
  launch(name, whole ? packs : ones, gpu.tiles(whole ? rows.n / size : rows.n, blocks), args...);
}

}  // namespace

void batch_norm_fwd(const BatchNormForward& f) {
  f.check();
  const Rows rows = in_parts(f.x, f.gamma);
  if (rows.m == 0 && !f.ranks) return;
  const OnDevice gpu(f.x);
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
    if (!f.ranks && rows.m <= kFewRows)
      return dispatch_activation(f.activation, [&](auto op) {
        launch("batch_norm_fwd", forward_tile<decltype(op), T>, gpu.tiles(rows.n, 1), args, rows);
      });
    Tensor parts = workspace<Moments>(f.x, rows.parts, rows.n);
    launch("batch_norm_fwd moments", moments_of_parts<T>, gpu.tiles(rows.n, rows.parts), args.x,
           static_cast<Moments*>(parts.raw()), rows);
    Rows met = rows;
    if (f.ranks) {
      const Tensor own = workspace<Moments>(f.x, 1, rows.n);
      met.parts = f.ranks->size();
      launch("batch_norm_fwd combine", combine_moments, gpu.tiles(rows.n, 1),
             static_cast<const Moments*>(parts.raw()), static_cast<Moments*>(own.raw()), rows);
      parts = workspace<Moments>(f.x, met.parts, rows.n);
      f.ranks->all_gather(own, parts);
    }
    dispatch_activation(f.activation, [&](auto op) {
      using Op = decltype(op);
      launch_elements<T>("batch_norm_fwd", normalise<Op, Pack<T>::size, T>, normalise<Op, 1, T>, gpu, rows,
                         packable(args.x, args.y, args.mean, args.rstd, args.gamma, args.beta), args,
                         static_cast<const Moments*>(parts.raw()), met);
    });
  });
}

void batch_norm_bwd(const BatchNormBackward& b) {
  b.check();
  const Rows rows = in_parts(b.x, b.gamma);
  const OnDevice gpu(b.x);
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
    dispatch_activation(b.activation, [&](auto op) {
      using Op = decltype(op);
      if (!b.ranks && rows.m <= kFewRows)
        return launch("batch_norm_bwd", backward_tile<Op, T>, gpu.tiles(rows.n, 1), args, rows);
      Tensor parts = workspace<Sums>(b.x, rows.parts, rows.n);
      launch("batch_norm_bwd sums", sums_of_parts<Op, T>, gpu.tiles(rows.n, rows.parts), args,
             static_cast<Sums*>(parts.raw()), rows);
      Rows met = rows;
      if (b.ranks) {
        const Tensor total = workspace<Sums>(b.x, 1, rows.n + 1);
        met.parts = 1;
        launch("batch_norm_bwd combine", combine_sums<T>, gpu.tiles(rows.n, 1), args,
               static_cast<const Sums*>(parts.raw()), static_cast<Sums*>(total.raw()), rows);
        b.ranks->all_reduce(total);
        parts = total;
        if (!args.dx) return;
      }
      const auto* sums = static_cast<const Sums*>(parts.raw());
      launch_elements<T>("batch_norm_bwd", gradient_of_input<Op, Pack<T>::size, T>,
                         gradient_of_input<Op, 1, T>, gpu, rows,
                         packable(args.x, args.dx, args.dy, args.y, args.mean, args.rstd, args.gamma), args,
                         sums, met, b.ranks ? sums + rows.n : nullptr);
    });
  });
}

}  // namespace vae::kernels::VAE_GPU
