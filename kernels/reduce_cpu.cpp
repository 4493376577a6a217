// Sums on the CPU. Partial sums of at most a few hundred elements are kept in the element type, everything
// above in f64; blocks are fixed by size, so the result does not depend on the number of threads.
#include <limits>
#include <numeric>
#include <vector>

#include "kernels/kernels.h"
#include "kernels/simd.h"
#include "tensor/parallel.h"

namespace vae::kernels::cpu {
namespace {

constexpr int64_t kBlock = 256;    // elements (or rows) summed in the element type
constexpr int64_t kChunk = 16384;  // elements of one partial sum of a long vector
constexpr int64_t kTile = 64;      // columns handled together in column sums

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
  for (int64_t c = 0; c < width; ++c) total[c] = 0;
  for (int64_t begin = 0; begin < count; begin += kBlock / 8) {
    const int64_t end = std::min(count, begin + kBlock / 8);
    T block[kTile] = {};
    for (int64_t r = begin; r < end; ++r) {
#pragma omp simd
      for (int64_t c = 0; c < width; ++c) block[c] += x[r * stride + c];
    }
    for (int64_t c = 0; c < width; ++c) total[c] += static_cast<double>(block[c]);
  }
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

template <class T, class Y>
void sum_typed(const T* x, Y* y, Axis axis, double scale, bool add) {
  const auto put = [&](int64_t i, double value) {
    y[i] = static_cast<Y>((add ? static_cast<double>(y[i]) : 0.0) + scale * value);
  };
  if (axis.inner == 1 && axis.outer == 1) return put(0, sum_long<false>(x, axis.count));
  if (axis.inner == 1) {
    parallel_for(axis.outer, std::max<int64_t>(1, kChunk / std::max<int64_t>(axis.count, 1)),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t o = begin; o < end; ++o)
                     put(o, sum_vector<false>(x + o * axis.count, axis.count));
                 });
    return;
  }
  const int64_t tiles = (axis.inner + kTile - 1) / kTile;
  parallel_for(axis.outer * tiles, std::max<int64_t>(1, kChunk / (kTile * std::max<int64_t>(axis.count, 1))),
               [&](int64_t begin, int64_t end) {
                 for (int64_t t = begin; t < end; ++t) {
                   const int64_t o = t / tiles, c0 = t % tiles * kTile,
                                 width = std::min(kTile, axis.inner - c0);
                   double total[kTile];
                   sum_tile(x + o * axis.count * axis.inner + c0, axis.count, axis.inner, width, total);
                   for (int64_t c = 0; c < width; ++c) put(o * axis.inner + c0 + c, total[c]);
                 }
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

/// Whether a comes before b among the largest: NaN counts as the smallest, of equals the first wins.
template <class T>
bool precedes(const T* x, int64_t a, int64_t b) {
  const T va = x[a] == x[a] ? x[a] : -std::numeric_limits<T>::infinity();
  const T vb = x[b] == x[b] ? x[b] : -std::numeric_limits<T>::infinity();
  return va != vb ? va > vb : a < b;
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
    const auto* values = x.data<decltype(zero)>();
    for (int64_t r = 0; r < y.numel(); ++r)
      y.data<int64_t>()[r] = std::max_element(values + r * n, values + (r + 1) * n) - (values + r * n);
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
  const int64_t k = check_top_k(x, values, index), n = columns_of(x.shape());
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    parallel_for(x.numel() / n, std::max<int64_t>(1, kChunk / n), [&](int64_t begin, int64_t end) {
      std::vector<int64_t> order(n);
      for (int64_t r = begin; r < end; ++r) {
        const T* row = x.data<T>() + r * n;
        std::iota(order.begin(), order.end(), int64_t{0});
        std::partial_sort(order.begin(), order.begin() + k, order.end(),
                          [row](int64_t a, int64_t b) { return precedes(row, a, b); });
        for (int64_t j = 0; j < k; ++j) {
          index.data<int64_t>()[r * k + j] = order[j];
          values.data<T>()[r * k + j] = row[order[j]];
        }
      }
    });
  });
}

}  // namespace vae::kernels::cpu
