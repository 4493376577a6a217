// Copies of columns and sums of rows by group on CUDA devices.
#include <algorithm>
#include <cmath>

#include "kernels/cuda/launch.h"
#include "kernels/elementwise/map.h"
#include "kernels/kernels.h"
#include "kernels/segment.h"

namespace vae::kernels::VAE_GPU {
namespace {

/// From the first column that is read, to the first that is written.
template <class T>
struct Copied {
  const T* x;
  T* y;
  int64_t rows, n, x_columns, y_columns;
  bool add;
};
constexpr size_t kCopies = 8;  // of a launch
template <class T>
struct Copies {
  Copied<T> of[kCopies];
  int count;
};

template <class T>
__global__ void copy_columns_kernel(Copies<T> copies) {
  for (int i = 0; i < copies.count; ++i) {
    const Copied<T>& copy = copies.of[i];
    for (int64_t r = first_y(); r < copy.rows; r += step_y())
      for (int64_t c = first_x(); c < copy.n; c += step_x()) {
        const T value = copy.x[r * copy.x_columns + c];
        T& out = copy.y[r * copy.y_columns + c];
        out = copy.add ? out + value : value;
      }
  }
}

/// The sum over a column of threads (threadIdx.y) of a block that is a warp wide, for its row 0.
__device__ inline double column_sum(double value) {
  VAE_SHARED(double, values, kThreads);
  values[threadIdx.y * kWarp + threadIdx.x] = value;
  __syncthreads();
  if (threadIdx.y == 0)
    for (int i = 1; i < kRowThreads; ++i) {
      const double other = values[i * kWarp + threadIdx.x];
      value += other;
    }
  __syncthreads();  // before the next call writes
  return value;
}

/// A block per group and warp of columns, each reading the groups of all rows: their number times that of the
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
            sum += x ? static_cast<double>(x[r * columns + c]) : 1.0;
          else if (group[r] < 0 || group[r] >= groups)
            sum = nan("");
        }
      sum = column_sum(sum);
      if (threadIdx.y == 0 && c < columns) {
        T& out = y[g * columns + c];
        out = static_cast<T>((add ? static_cast<double>(out) : 0.0) + sum);
      }
    }
}

}  // namespace

void copy_columns(std::span<const ColumnCopy> copies) {
  check_copy_columns(copies);
  if (copies.empty()) return;
  const OnDevice gpu(copies[0].y);
  dispatch_floating(copies[0].y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for (size_t begin = 0; begin < copies.size(); begin += kCopies) {
      Copies<T> few{};
      int64_t rows = 0, columns = 0;
      for (const ColumnCopy& copy : copies.subspan(begin, std::min(kCopies, copies.size() - begin))) {
        const Shape &x = copy.x.shape(), &y = copy.y.shape();
        few.of[few.count++] = {copy.x.data<T>() + copy.from,
                               copy.y.data<T>() + copy.to,
                               rows_of(y),
                               copy.n,
                               columns_of(x),
                               columns_of(y),
                               copy.write == Write::add};
        rows = std::max(rows, rows_of(y)), columns = std::max(columns, copy.n);
      }
      launch("copy_columns", copy_columns_kernel<T>, gpu.plane(rows, columns), few);
    }
  });
}

void segment_sum(In x, In group, Out y, Write write) {
  check_segment_sum(x, group, y);
  const int64_t groups = y.size(0), columns = y.shape().with_leading(1).numel();
  const OnDevice gpu(y);
  const LaunchConfig blocks =
      gpu.config({blocks_for(columns, kWarp), blocks_for(groups, 1)}, {kWarp, kRowThreads});
  dispatch_floating(y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    launch("segment_sum", segment_sum_kernel<T>, blocks, x.defined() ? x.data<T>() : nullptr,
           group.data<int64_t>(), y.data<T>(), group.numel(), columns, groups, write == Write::add);
  });
}

}  // namespace vae::kernels::VAE_GPU
