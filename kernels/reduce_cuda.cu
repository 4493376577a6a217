// Sums on CUDA devices, carried in f64. What is long is split into parts of a fixed size, whose sums go
// through a workspace to a second launch: the result depends on the sizes alone.
#include <cmath>

#include "kernels/cuda/reduce.h"
#include "kernels/elementwise/map.h"
#include "kernels/kernels.h"

namespace vae::kernels::VAE_GPU {
namespace {

constexpr int64_t kRowPart = 8192;     // elements of one part of a long row
constexpr int64_t kColumnPart = 1024;  // rows of one part of tall columns

/// y[outer, parts, inner]: sums over `count` in parts of `part`; (add ? y : 0) + scale times the sum.
struct SumShape {
  int64_t outer, count, inner;
  int64_t part, parts;
  double scale;
  bool add, squares;
};

template <class Y>
__device__ void put(Y& y, double sum, const SumShape& s) {
  y = static_cast<Y>((s.add ? static_cast<double>(y) : 0.0) + s.scale * sum);
}

template <class X>
__device__ double term(X x, bool square) {
  const double v = static_cast<double>(x);
  return square ? v * v : v;
}

__device__ inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

/// inner = 1: a row of threads per part.
template <class X, class Y>
__global__ void sum_rows(const X* x, Y* y, SumShape s) {
  for (int64_t p = first_y(); p < s.outer * s.parts; p += step_y()) {
    const int64_t begin = p % s.parts * s.part, end = smaller(begin + s.part, s.count);
    const X* row = x + p / s.parts * s.count;
    double sum = 0;
    for (int64_t i = begin + threadIdx.x; i < end; i += blockDim.x) sum += term(row[i], s.squares);
    sum = row_reduce(sum, Plus{});
    if (threadIdx.x == 0) put(y[p], sum, s);
  }
}

/// Any inner: a block per part and tile of columns.
template <class X, class Y>
__global__ void sum_columns(const X* x, Y* y, SumShape s) {
  for (int64_t p = blockIdx.y; p < s.outer * s.parts; p += gridDim.y) {
    const int64_t begin = p % s.parts * s.part, end = smaller(begin + s.part, s.count);
    const X* block = x + p / s.parts * s.count * s.inner;
    for (int64_t c0 = int64_t{blockIdx.x} * kTileColumns; c0 < s.inner; c0 += step_x()) {
      const int64_t c = c0 + threadIdx.x;
      double sum = 0;
      if (c < s.inner) {
#pragma unroll 8
        for (int64_t r = begin + threadIdx.y; r < end; r += kTileRows)
          sum += term(block[r * s.inner + c], s.squares);
      }
      sum = tile_reduce(sum, Plus{});
      if (threadIdx.y == 0 && c < s.inner) put(y[p * s.inner + c], sum, s);
    }
  }
}

/// y[n] = (add ? y : 0) + the sum of the rows of x[m, n].
template <class T>
struct ColumnsOf {
  const T* x;
  T* y;
  int64_t m, n;
  bool add;
};
constexpr size_t kTogether = 16;  // sums that a launch takes
template <class T>
struct SeveralColumns {
  ColumnsOf<T> of[kTogether];
};

/// A row of blocks for each sum, a block per tile of columns.
template <class T>
__global__ void column_sums_kernel(SeveralColumns<T> sums) {
  const ColumnsOf<T>& s = sums.of[blockIdx.y];
  for (int64_t c0 = int64_t{blockIdx.x} * kTileColumns; c0 < s.n; c0 += step_x()) {
    const int64_t c = c0 + threadIdx.x;
    double sum = 0;
    if (c < s.n) {
#pragma unroll 8
      for (int64_t r = threadIdx.y; r < s.m; r += kTileRows) sum += static_cast<double>(s.x[r * s.n + c]);
    }
    sum = tile_reduce(sum, Plus{});
    if (threadIdx.y == 0 && c < s.n)
      s.y[c] = static_cast<T>((s.add ? static_cast<double>(s.y[c]) : 0.0) + sum);
  }
}

template <class X, class Y>
void launch_sum(const OnDevice& gpu, const X* x, Y* y, const SumShape& s) {
  const int64_t parts = s.outer * s.parts;
  if (s.inner == 1)
    launch("sum", sum_rows<X, Y>, gpu.rows(parts, std::min(s.part, s.count)), x, y, s);
  else
    launch("sum", sum_columns<X, Y>, gpu.tiles(s.inner, parts), x, y, s);
}

template <class X, class Y>
void sum_typed(const Tensor& x, Y* y, Axis axis, double scale, bool add, bool squares) {
  const OnDevice gpu(x);
  const int64_t part = axis.inner == 1 ? kRowPart : kColumnPart;
  const int64_t parts = std::max<int64_t>(1, (axis.count + part - 1) / part);
  SumShape s{axis.outer, axis.count, axis.inner, part, parts, scale, add, squares};
  if (parts == 1) return launch_sum(gpu, x.data<X>(), y, s);
  const Tensor partial = Tensor::empty({axis.outer, parts, axis.inner}, DType::f64, x.device());
  s.scale = 1;
  s.add = false;
  launch_sum(gpu, x.data<X>(), partial.data<double>(), s);
  launch_sum(gpu, static_cast<const double*>(partial.raw()), y,
             {axis.outer, parts, axis.inner, parts, 1, scale, add, false});
}

template <class T>
struct Best {
  T value;
  int64_t index;
};

template <class T>
__device__ Best<T> shuffle_xor(Best<T> best, int mask) {
  return {VAE_GPU::shuffle_xor(best.value, mask), VAE_GPU::shuffle_xor(best.index, mask)};
}

/// The larger value, and of equals the first.
struct First {
  template <class T>
  __device__ Best<T> operator()(Best<T> a, Best<T> b) const {
    return a.value < b.value || (a.value == b.value && b.index < a.index) ? b : a;
  }
};

/// Every thread begins with the first element, which wins if it is NaN; other NaNs lose every comparison.
template <class T>
__global__ void argmax_rows(const T* x, int64_t* y, int64_t rows, int64_t columns) {
  for (int64_t r = first_y(); r < rows; r += step_y()) {
    const T* row = x + r * columns;
    Best<T> best{row[0], 0};
    for (int64_t c = threadIdx.x; c < columns; c += blockDim.x) best = First{}(best, Best<T>{row[c], c});
    best = row_reduce(best, First{});
    if (threadIdx.x == 0) y[r] = best.index;
  }
}

template <class T>
__global__ void sum_bwd_kernel(const T* dy, T* dx, Spread s, T scale, bool add) {
  for (int64_t r = first_y(); r < s.rows; r += step_y()) {
    const T* from = dy + r / s.repeat * s.row_stride;
    for (int64_t c = first_x(); c < s.columns; c += step_x()) {
      const T g = scale * from[c * s.column_stride];
      dx[r * s.columns + c] = add ? dx[r * s.columns + c] + g : g;
    }
  }
}

/// One pass over the row per place: the best of those that come after the one before. NaN counts as the
/// smallest.
template <class T>
__global__ void top_k_rows(const T* x, T* values, int64_t* index, int64_t rows, int64_t columns, int64_t k) {
  const T infinity = static_cast<T>(INFINITY);
  for (int64_t r = first_y(); r < rows; r += step_y()) {
    const T* row = x + r * columns;
    Best<T> last{infinity, -1};
    for (int64_t j = 0; j < k; ++j) {
      Best<T> best{-infinity, columns};
      for (int64_t c = threadIdx.x; c < columns; c += blockDim.x) {
        const T value = row[c] == row[c] ? row[c] : -infinity;
        const bool after = value < last.value || (value == last.value && c > last.index);
        if (after) best = First{}(best, Best<T>{value, c});
      }
      last = row_reduce(best, First{});
      if (threadIdx.x == 0) {
        index[r * k + j] = last.index;
        values[r * k + j] = row[last.index];
      }
    }
  }
}

}  // namespace

void sum(In x, Out y, Axis axis, double scale, Write write) {
  check_sum(x, y, axis);
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    if (y.dtype() == DType::f64)
      sum_typed<T>(x, y.data<double>(), axis, scale, write == Write::add, false);
    else
      sum_typed<T>(x, y.data<float>(), axis, scale, write == Write::add, false);
  });
}

void column_sums(std::span<const ColumnSum> sums) {
  check_column_sums(sums);
  if (sums.empty()) return;
  dispatch_floating(sums[0].x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    SeveralColumns<T> several{};
    unsigned count = 0;
    int64_t columns = 0;
    const OnDevice gpu(sums[0].x);
    const auto queue = [&] {
      LaunchConfig config = gpu.tiles(columns, 1);
      config.grid.y = count;
      launch("column_sums", column_sums_kernel<T>, config, several);
      count = 0, columns = 0;
    };
    for (const ColumnSum& s : sums) {
      const Axis axis = s.axis();
      if (axis.count > kColumnPart) {  // a launch for parts of the rows, and one for their sums
        sum(s.x, s.y, axis, 1, s.write);
        continue;
      }
      several.of[count++] = {s.x.data<T>(), s.y.data<T>(), axis.count, axis.inner, s.write == Write::add};
      columns = std::max(columns, axis.inner);
      if (count == kTogether) queue();
    }
    queue();
  });
}

void sum_squares(In x, Out y) {
  check_sum_squares(x, y);
  dispatch_floating(x.dtype(), [&](auto zero) {
    sum_typed<decltype(zero)>(x, y.data<double>(), Axis::all(x.numel()), 1, false, true);
  });
}

void argmax(In x, Out y) {
  check_argmax(x, y);
  const int64_t n = columns_of(x.shape());
  const OnDevice gpu(x);
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    launch("argmax", argmax_rows<T>, gpu.rows(y.numel(), n), x.data<T>(), y.data<int64_t>(), y.numel(), n);
  });
}

void sum_bwd(In dy, Out dx, Axis axis, double scale, Write write) {
  check_sum_bwd(dy, dx, axis);
  const Spread s = spread_of(axis);
  const OnDevice gpu(dx);
  dispatch_floating(dx.dtype(), [&](auto zero) {
    using T = decltype(zero);
    launch("sum_bwd", sum_bwd_kernel<T>, gpu.plane(s.rows, s.columns), dy.data<T>(), dx.data<T>(), s, scale,
           write == Write::add);
  });
}

void top_k(In x, Out values, Out index) {
  const int64_t k = check_top_k(x, values, index), n = columns_of(x.shape()), rows = x.numel() / n;
  const OnDevice gpu(x);
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    launch("top_k", top_k_rows<T>, gpu.rows(rows, n), x.data<T>(), values.data<T>(), index.data<int64_t>(),
           rows, n, k);
  });
}

}  // namespace vae::kernels::VAE_GPU
