// Copies of columns and sums of rows by group on CUDA devices.
#include <cmath>

#include "kernels/cuda/reduce.h"
#include "kernels/elementwise/map.h"
#include "kernels/kernels.h"
#include "kernels/segment.h"

namespace vae::kernels::VAE_GPU {
namespace {

template <class T>
__global__ void copy_columns_kernel(const T* x, T* y, int64_t rows, int64_t n, int64_t x_columns,
                                    int64_t y_columns, bool add) {
  for (int64_t r = first_y(); r < rows; r += step_y())
    for (int64_t c = first_x(); c < n; c += step_x()) {
      const T value = x[r * x_columns + c];
      T& out = y[r * y_columns + c];
      out = add ? out + value : value;
    }
}

/// A block per group and tile of columns, each reading the groups of all rows: their number times that of the
/// rows is small where this is used, and the order of the terms is fixed without sorting.
template <class T>
__global__ void segment_sum_kernel(const T* x, const int64_t* group, T* y, int64_t rows, int64_t columns,
                                   int64_t groups, bool add) {
  for (int64_t g = blockIdx.y; g < groups; g += gridDim.y)
    for (int64_t c0 = int64_t{blockIdx.x} * kWarp; c0 < columns; c0 += step_x()) {
      const int64_t c = c0 + threadIdx.x;
      double sum = 0;
      if (c < columns)
        for (int64_t r = threadIdx.y; r < rows; r += kRowThreads) {
          if (group[r] == g)
            sum += static_cast<double>(x[r * columns + c]);
          else if (group[r] < 0 || group[r] >= groups)
            sum = nan("");
        }
      sum = column_reduce(sum, Plus{});
      if (threadIdx.y == 0 && c < columns) {
        T& out = y[g * columns + c];
        out = static_cast<T>((add ? static_cast<double>(out) : 0.0) + sum);
      }
    }
}

}  // namespace

void copy_columns(In x, int64_t from, Out y, int64_t to, int64_t n, Write write) {
  check_copy_columns(x, from, y, to, n);
  const int64_t rows = rows_of(y.shape());
  const OnDevice gpu(y);
  dispatch_floating(y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    launch("copy_columns", copy_columns_kernel<T>, gpu.plane(rows, n), x.data<T>() + from, y.data<T>() + to,
           rows, n, columns_of(x.shape()), columns_of(y.shape()), write == Write::add);
  });
}

void segment_sum(In x, In group, Out y, Write write) {
  check_segment_sum(x, group, y);
  const int64_t groups = y.size(0), columns = y.shape().with_leading(1).numel();
  const OnDevice gpu(y);
  dispatch_floating(y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    launch("segment_sum", segment_sum_kernel<T>, gpu.columns(columns, groups), x.data<T>(),
           group.data<int64_t>(), y.data<T>(), group.numel(), columns, groups, write == Write::add);
  });
}

}  // namespace vae::kernels::VAE_GPU
