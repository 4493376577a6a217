// Copies of columns and sums of rows by group on the CPU.
#include <algorithm>
#include <numeric>
#include <vector>

#include "kernels/kernels.h"
#include "kernels/segment.h"
#include "kernels/simd.h"
#include "tensor/parallel.h"

namespace vae::kernels::cpu {
namespace {

constexpr int64_t kTile = 512;         // columns summed together, whose sums stay in the cache
constexpr int64_t kGrain = 16 * 1024;  // elements worth a thread

template <class T>
VAE_CLONES void copy_row(const T* x, T* y, int64_t n, bool add) {
#pragma omp simd
  for (int64_t c = 0; c < n; ++c) y[c] = add ? y[c] + x[c] : x[c];
}

/// total[c] = the sum of rows[0], ..., rows[count - 1] of x, width columns of rows `stride` apart.
template <class T>
VAE_CLONES void sum_rows(const T* x, int64_t stride, const int64_t* rows, int64_t count, int64_t width,
                         double* total) {
  for (int64_t c = 0; c < width; ++c) total[c] = 0;
  int64_t i = 0;
  for (; i + 4 <= count; i += 4) {  // the sums are read and written once for four rows
    const T *r0 = x + rows[i] * stride, *r1 = x + rows[i + 1] * stride, *r2 = x + rows[i + 2] * stride,
            *r3 = x + rows[i + 3] * stride;
#pragma omp simd
    for (int64_t c = 0; c < width; ++c)
      total[c] += (double(r0[c]) + double(r1[c])) + (double(r2[c]) + double(r3[c]));
  }
  for (; i < count; ++i) {
    const T* row = x + rows[i] * stride;
#pragma omp simd
    for (int64_t c = 0; c < width; ++c) total[c] += double(row[c]);
  }
}

/// Rows in the order of their groups: those of group g are rows[begin[g]], ..., rows[begin[g + 1] - 1].
struct Members {
  std::vector<int64_t> begin, rows;

  Members(const int64_t* group, int64_t count, int64_t groups) : begin(groups + 1), rows(count) {
    for (int64_t r = 0; r < count; ++r) ++begin[group[r] + 1];
    std::partial_sum(begin.begin(), begin.end(), begin.begin());
    std::vector<int64_t> next(begin.begin(), begin.end() - 1);
    for (int64_t r = 0; r < count; ++r) rows[next[group[r]]++] = r;
  }
};

}  // namespace

void copy_columns(std::span<const ColumnCopy> copies) {
  check_copy_columns(copies);
  for (const ColumnCopy& c : copies) {
    const int64_t x_columns = columns_of(c.x.shape()), y_columns = columns_of(c.y.shape());
    dispatch_floating(c.y.dtype(), [&](auto zero) {
      using T = decltype(zero);
      parallel_for(rows_of(c.y.shape()), std::max<int64_t>(1, kGrain / std::max<int64_t>(c.n, 1)),
                   [&](int64_t begin, int64_t end) {
                     for (int64_t r = begin; r < end; ++r)
                       copy_row(c.x.data<T>() + r * x_columns + c.from, c.y.data<T>() + r * y_columns + c.to,
                                c.n, c.write == Write::add);
                   });
    });
  }
}

void segment_sum(In x, In group, Out y, Write write) {
  check_segment_sum(x, group, y);
  const int64_t groups = y.size(0), columns = y.shape().with_leading(1).numel();
  const int64_t* of_row = group.data<int64_t>();
  for (int64_t r = 0; r < group.numel(); ++r)
    VAE_CHECK(of_row[r] >= 0 && of_row[r] < groups, "segment_sum: group {} outside [0, {})", of_row[r],
              groups);
  if (y.numel() == 0) return;
  const Members members(of_row, group.numel(), groups);
  const int64_t tile = groups < 8 ? kTile / 8 : kTile, tiles = (columns + tile - 1) / tile;
  const int64_t work = group.numel() * std::min(tile, columns) / groups;  // elements of a tile
  dispatch_floating(y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    parallel_for(groups * tiles, kGrain / (work + 1) + 1, [&](int64_t begin, int64_t end) {
      double total[kTile];
      for (int64_t t = begin; t < end; ++t) {
        const int64_t g = t / tiles, c0 = t % tiles * tile, width = std::min(tile, columns - c0);
        const int64_t of_group = members.begin[g + 1] - members.begin[g];
        if (x.defined())
          sum_rows(x.data<T>() + c0, columns, members.rows.data() + members.begin[g], of_group, width, total);
        else
          std::fill_n(total, width, static_cast<double>(of_group));
        T* sum = y.data<T>() + g * columns + c0;
        for (int64_t c = 0; c < width; ++c)
          sum[c] = static_cast<T>((write == Write::add ? static_cast<double>(sum[c]) : 0.0) + total[c]);
      }
    });
  });
}

}  // namespace vae::kernels::cpu
