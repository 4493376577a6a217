// Copies of columns and sums of rows by group on the CPU.
#include <vector>

#include "kernels/kernels.h"
#include "kernels/segment.h"
#include "kernels/simd.h"
#include "tensor/parallel.h"

namespace vae::kernels::cpu {
namespace {

constexpr int64_t kBlock = 64;          // columns, of which a thread takes whole blocks
constexpr int64_t kTotals = 32 * 1024;  // sums of groups that stay in the cache

template <class T>
VAE_CLONES void copy_row(const T* x, T* y, int64_t n, bool add) {
#pragma omp simd
  for (int64_t c = 0; c < n; ++c) y[c] = add ? y[c] + x[c] : x[c];
}

template <class T>
VAE_CLONES void add_row(const T* x, double* total, int64_t n) {
#pragma omp simd
  for (int64_t c = 0; c < n; ++c) total[c] += static_cast<double>(x[c]);
}

/// Columns [c0, c0 + width) of all groups.
template <class T>
void sum_tile(In x, const int64_t* group, Out y, int64_t columns, int64_t c0, int64_t width, bool add) {
  std::vector<double> total(y.size(0) * width);
  for (int64_t r = 0; r < x.size(0); ++r)
    add_row(x.data<T>() + r * columns + c0, total.data() + group[r] * width, width);
  for (int64_t g = 0; g < y.size(0); ++g)
    for (int64_t c = 0; c < width; ++c) {
      T& sum = y.data<T>()[g * columns + c0 + c];
      sum = static_cast<T>((add ? static_cast<double>(sum) : 0.0) + total[g * width + c]);
    }
}

}  // namespace

void copy_columns(In x, int64_t from, Out y, int64_t to, int64_t n, Write write) {
  check_copy_columns(x, from, y, to, n);
  const int64_t x_columns = columns_of(x.shape()), y_columns = columns_of(y.shape());
  dispatch_floating(y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    parallel_for(rows_of(y.shape()), std::max<int64_t>(1, 16384 / std::max<int64_t>(n, 1)),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t r = begin; r < end; ++r)
                     copy_row(x.data<T>() + r * x_columns + from, y.data<T>() + r * y_columns + to, n,
                              write == Write::add);
                 });
  });
}

void segment_sum(In x, In group, Out y, Write write) {
  check_segment_sum(x, group, y);
  const int64_t groups = y.size(0), columns = y.shape().with_leading(1).numel();
  const int64_t* of_row = group.data<int64_t>();
  for (int64_t r = 0; r < group.numel(); ++r)
    VAE_CHECK(of_row[r] >= 0 && of_row[r] < groups, "segment_sum: group {} outside [0, {})", of_row[r],
              groups);
  dispatch_floating(y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const int64_t tile = std::max<int64_t>(1, kTotals / groups / kBlock) * kBlock;
    parallel_for((columns + kBlock - 1) / kBlock, 1, [&](int64_t begin, int64_t end) {
      const int64_t last = std::min(end * kBlock, columns);
      for (int64_t c = begin * kBlock; c < last; c += tile)
        sum_tile<T>(x, of_row, y, columns, c, std::min(tile, last - c), write == Write::add);
    });
  });
}

}  // namespace vae::kernels::cpu
