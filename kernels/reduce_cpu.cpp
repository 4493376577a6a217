// Sums on the CPU. Partial sums of at most a few hundred elements are kept in the element type, everything
// above in f64; blocks are fixed by size, so the result does not depend on the number of threads.
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "kernels/kernels.h"
#include "kernels/lanes.h"
#include "kernels/simd.h"
#include "tensor/parallel.h"

namespace vae::kernels::cpu {
namespace {

constexpr int64_t kBlock = 256;      // elements summed in the element type, and rows of a column
constexpr int64_t kChunk = 16384;    // elements of one partial sum of a long vector
constexpr int64_t kTile = 1024;      // columns handled together in column sums
constexpr int64_t kTileRows = 1024;  // rows of one partial sum of long columns

template <bool squares, class T>
VAE_CLONES double sum_vector(const T* x, int64_t n) {
  double total = 0;
  for (int64_t begin = 0; begin < n; begin += kBlock) {
    const int64_t end = std::min(n, begin + kBlock);
    T block = 0;
#pragma omp simd reduction(+ : block)
    for (int64_t i = begin; i < end; ++i) block += squares ? x[i] * x[i] : x[i];
    total += static_cast<double>(block);
  }
  return total;
}

/// total[c] = sum over `count` rows of width columns, rows `stride` apart.
template <class T>
VAE_CLONES void sum_tile(const T* x, int64_t count, int64_t stride, int64_t width, double* total) {
  constexpr int64_t rows = kBlock / 8;
  for (int64_t c = 0; c < width; ++c) total[c] = 0;
  for (int64_t begin = 0; begin < count; begin += rows) {
    const int64_t end = std::min(count, begin + rows);
    T block[kTile];
    std::fill_n(block, width, T(0));
    const T* row = x + begin * stride;
    int64_t r = begin;
    for (; r + 4 <= end; r += 4, row += 4 * stride)  // the block is read and written once for four rows
#pragma omp simd
      for (int64_t c = 0; c < width; ++c)
        block[c] += (row[c] + row[c + stride]) + (row[c + 2 * stride] + row[c + 3 * stride]);
    for (; r < end; ++r, row += stride)
#pragma omp simd
      for (int64_t c = 0; c < width; ++c) block[c] += row[c];
    for (int64_t c = 0; c < width; ++c) total[c] += static_cast<double>(block[c]);
  }
}

/// Sums of n columns of lanes.
template <class T>
VAE_CLONES void sum_lanes(const T* x, int64_t n, T* total) {
  for (int64_t l = 0; l < kLanes; ++l) total[l] = 0;
  for (int64_t c = 0; c < n; ++c)
#pragma omp simd
    for (int64_t l = 0; l < kLanes; ++l) total[l] += x[c * kLanes + l];
}

/// Sum of a long vector: chunks in parallel, combined in order.
template <bool squares, class T>
double sum_long(const T* x, int64_t n) {
  const int64_t chunks = (n + kChunk - 1) / kChunk;
  if (chunks <= 1) return sum_vector<squares>(x, n);
  std::vector<double> partial(chunks);
  parallel_for(chunks, 4, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      partial[i] = sum_vector<squares>(x + i * kChunk, std::min(kChunk, n - i * kChunk));
  });
  return sum_vector<false>(partial.data(), chunks);
}

/// Calls put(i, sum) for every sum over rows: chunks of long columns, combined in order, and tiles of columns
/// in parallel. Tiles are narrow only where there would be too few to share out: whole rows are read in
/// order.
template <class T, class Put>
void sum_columns(const T* x, Axis axis, const Put& put) {
  const int64_t chunks = std::max<int64_t>(1, (axis.count + kTileRows - 1) / kTileRows),
                blocks = chunks * axis.outer;
  const int64_t tile = blocks < 8 ? kTile / 16 : kTile, tiles = (axis.inner + tile - 1) / tile;
  const int64_t sums = axis.outer * axis.inner, rows = std::clamp<int64_t>(axis.count, 1, kTileRows);
  std::vector<double> partial(chunks > 1 ? chunks * sums : 0);
  parallel_for(blocks * tiles, std::max<int64_t>(1, kChunk / (tile * rows)), [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      const int64_t chunk = t / (axis.outer * tiles), o = t / tiles % axis.outer, c0 = t % tiles * tile,
                    width = std::min(tile, axis.inner - c0), first = chunk * kTileRows;
      double total[kTile];
      sum_tile(x + (o * axis.count + first) * axis.inner + c0, std::min(kTileRows, axis.count - first),
               axis.inner, width, total);
      for (int64_t c = 0, i = o * axis.inner + c0; c < width; ++c, ++i)
        chunks > 1 ? void(partial[chunk * sums + i] = total[c]) : put(i, total[c]);
    }
  });
  for (int64_t i = 0; chunks > 1 && i < sums; ++i) {
    double total = 0;
    for (int64_t chunk = 0; chunk < chunks; ++chunk) total += partial[chunk * sums + i];
    put(i, total);
  }
}

template <class T, class Y>
void sum_typed(const T* x, Y* y, Axis axis, double scale, bool add) {
  const auto put = [=](int64_t i, double value) {
    y[i] = static_cast<Y>((add ? static_cast<double>(y[i]) : 0.0) + scale * value);
  };
  if (axis.inner != 1) return sum_columns(x, axis, put);
  if (axis.outer == 1) return put(0, sum_long<false>(x, axis.count));
  if (axis.count <= kNarrow)
    return for_groups(axis.outer, axis.count, [&](int64_t first, int64_t rows) {
      Lanes<T> lanes(x + first * axis.count, rows, axis.count);
      T total[kLanes];
      sum_lanes(lanes.data(), axis.count, total);
      for (int64_t r = 0; r < rows; ++r) put(first + r, static_cast<double>(total[r]));
    });
  parallel_for(axis.outer, std::max<int64_t>(1, kChunk / axis.count), [&](int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; ++o) put(o, sum_vector<false>(x + o * axis.count, axis.count));
  });
}

/// y[c] (+)= scale * x[c], x standing still where its stride is zero.
template <bool constant, class T>
VAE_CLONES void spread_row(const T* x, T* y, int64_t n, T scale, bool add) {
#pragma omp simd
  for (int64_t c = 0; c < n; ++c) {
    const T g = scale * x[constant ? 0 : c];
    y[c] = add ? y[c] + g : g;
  }
}

/// Integers of the width of T: lanes of columns beside lanes of values.
template <class T>
using Column = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;

template <class T>
VAE_CLONES void argmax_lanes(const T* x, Column<T> n, Column<T>* at) {
  T top[kLanes];
  for (int64_t l = 0; l < kLanes; ++l) top[l] = x[l], at[l] = 0;
  for (Column<T> c = 1; c < n; ++c)
#pragma omp simd
    for (int64_t l = 0; l < kLanes; ++l) {
      const T value = x[c * kLanes + l];
      at[l] = value > top[l] ? c : at[l];
      top[l] = value > top[l] ? value : top[l];
    }
}

/// What orders the largest: NaN counts as the smallest.
template <class T>
[[gnu::always_inline]] inline T rank_of(T value) {
  return value == value ? value : -std::numeric_limits<T>::infinity();
}

/// best[j] and at[j] become the j-th largest of n columns of lanes and its column, of equals the first. Every
/// column in turn comes in below the best so far and rises above those that it exceeds.
template <class T>
VAE_CLONES void top_k_lanes(const T* x, Column<T> n, Column<T> k, T (*best)[kLanes],
                            Column<T> (*at)[kLanes]) {
  for (Column<T> c = 0; c < n; ++c) {
    const Column<T> place = std::min(c, k);
#pragma omp simd
    for (int64_t l = 0; l < kLanes; ++l) best[place][l] = rank_of(x[c * kLanes + l]), at[place][l] = c;
    for (Column<T> j = place - 1; j >= 0; --j)
#pragma omp simd
      for (int64_t l = 0; l < kLanes; ++l) {
        const T above = best[j][l], below = best[j + 1][l];
        const Column<T> column = at[j][l], rising = at[j + 1][l];
        best[j][l] = below > above ? below : above;
        best[j + 1][l] = below > above ? above : below;
        at[j][l] = below > above ? rising : column;
        at[j + 1][l] = below > above ? column : rising;
      }
  }
}

/// Columns of the k largest of a row.
template <class T>
void top_k_row(const T* x, int64_t n, int64_t k, std::vector<int64_t>& order) {
  order.resize(n);
  std::iota(order.begin(), order.end(), int64_t{0});
  std::partial_sort(order.begin(), order.begin() + k, order.end(), [x](int64_t a, int64_t b) {
    const T first = rank_of(x[a]), second = rank_of(x[b]);
    return first != second ? first > second : a < b;
  });
}

}  // namespace

void sum(In x, Out y, Axis axis, double scale, Write write) {
  check_sum(x, y, axis);
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const bool add = write == Write::add;
    if (y.dtype() == DType::f64)
      sum_typed(x.data<T>(), y.data<double>(), axis, scale, add);
    else
      sum_typed(x.data<T>(), y.data<float>(), axis, scale, add);
  });
}

void column_sums(std::span<const ColumnSum> sums) {
  check_column_sums(sums);
  for (const ColumnSum& s : sums) sum(s.x, s.y, s.axis(), 1, s.write);
}

void sum_squares(In x, Out y) {
  check_sum_squares(x, y);
  dispatch_floating(x.dtype(), [&](auto zero) {
    y.data<double>()[0] = sum_long<true>(x.data<decltype(zero)>(), x.numel());
  });
}

void argmax(In x, Out y) {
  check_argmax(x, y);
  const int64_t n = columns_of(x.shape());
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* values = x.data<T>();
    int64_t* to = y.data<int64_t>();
    if (n <= kNarrow)
      return for_groups(y.numel(), n, [&](int64_t first, int64_t rows) {
        Lanes<T> lanes(values + first * n, rows, n);
        Column<T> at[kLanes];
        argmax_lanes(lanes.data(), static_cast<Column<T>>(n), at);
        std::copy_n(at, rows, to + first);
      });
    parallel_for(y.numel(), std::max<int64_t>(1, kChunk / n), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r)
        to[r] = std::max_element(values + r * n, values + (r + 1) * n) - (values + r * n);
    });
  });
}

void sum_bwd(In dy, Out dx, Axis axis, double scale, Write write) {
  check_sum_bwd(dy, dx, axis);
  const Spread s = spread_of(axis);
  dispatch_floating(dx.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const auto loop = s.column_stride ? spread_row<false, T> : spread_row<true, T>;
    parallel_for(s.rows, std::max<int64_t>(1, kChunk / std::max<int64_t>(s.columns, 1)),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t r = begin; r < end; ++r)
                     loop(dy.data<T>() + r / s.repeat * s.row_stride, dx.data<T>() + r * s.columns, s.columns,
                          static_cast<T>(scale), write == Write::add);
                 });
  });
}

void top_k(In x, Out values, Out index) {
  const int64_t k = check_top_k(x, values, index), n = columns_of(x.shape()), rows = x.numel() / n;
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* from = x.data<T>();
    T* best = values.data<T>();
    int64_t* at = index.data<int64_t>();
    if (n <= kNarrow)
      return for_groups(rows, n, [&](int64_t first, int64_t count) {
        Lanes<T> lanes(from + first * n, count, n);
        T top[kNarrow + 1][kLanes];
        Column<T> columns[kNarrow + 1][kLanes];
        top_k_lanes(lanes.data(), static_cast<Column<T>>(n), static_cast<Column<T>>(k), top, columns);
        for (int64_t j = 0; j < k; ++j)
          for (int64_t r = 0, to = first * k + j; r < count; ++r, to += k) {
            const T rank = top[j][r];
            at[to] = columns[j][r];
            best[to] = std::isinf(rank) ? from[(first + r) * n + at[to]] : rank;  // NaN ranks as -infinity
          }
      });
    parallel_for(rows, std::max<int64_t>(1, kChunk / n), [&](int64_t begin, int64_t end) {
      std::vector<int64_t> order;
      for (int64_t r = begin; r < end; ++r) {
        top_k_row(from + r * n, n, k, order);
        for (int64_t j = 0; j < k; ++j) {
          at[r * k + j] = order[j];
          best[r * k + j] = from[r * n + order[j]];
        }
      }
    });
  });
}

}  // namespace vae::kernels::cpu
