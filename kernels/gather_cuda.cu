// Filling, copying and indexing on CUDA devices. A device cannot throw: an index or label out of range makes
// the row that it was to fill NaN, or zero in integer tensors.
#include <cmath>

#include "kernels/cuda/launch.h"
#include "kernels/elementwise/map.h"
#include "kernels/kernels.h"

namespace vae::kernels::VAE_GPU {
namespace {

/// What a row becomes whose index is out of range.
template <class T>
__device__ T no_value() {
  if constexpr (std::is_same_v<T, float>)
    return nanf("");
  else if constexpr (std::is_same_v<T, double>)
    return nan("");
  else
    return T(0);
}

__device__ inline bool within(int64_t i, int64_t n) { return i >= 0 && i < n; }

template <class T>
__global__ void fill_kernel(T* y, int64_t n, T value) {
  for (int64_t i = first_x(); i < n; i += step_x()) y[i] = value;
}

template <class From, class To>
__global__ void cast_kernel(const From* x, To* y, int64_t n) {
  for (int64_t i = first_x(); i < n; i += step_x()) y[i] = static_cast<To>(x[i]);
}

__global__ void increment_kernel(int64_t* y) { ++*y; }

constexpr size_t kNumbers = 64;  // of a launch
template <class T>
struct Numbers {
  const T* of[kNumbers];
};

struct Counters {
  int64_t* of[kMostCounters];
};

/// One thread for each number and each counter; null ones are left out.
template <class T>
__global__ void tally_kernel(Numbers<T> numbers, double* sums, Counters counters) {
  const T* number = numbers.of[threadIdx.x];
  if (number) sums[threadIdx.x] += static_cast<double>(*number);
  if (threadIdx.x < kMostCounters && counters.of[threadIdx.x]) ++*counters.of[threadIdx.x];
}

template <class T>
struct Copy {
  __device__ T operator()(T x) const { return x; }
};

template <class T>
struct Unit {
  __device__ T operator()(uint8_t x) const { return static_cast<T>(x) / T(255); }
};

template <class T>
struct Binary {
  __device__ T operator()(uint8_t x) const { return x >= 128 ? T(1) : T(0); }
};

/// y[r] = convert(x[index[r]]), rows of n out of a table of `table` rows.
template <class Convert, class X, class Y>
__global__ void gather_kernel(const X* x, const int64_t* index, Y* y, int64_t rows, int64_t n,
                              int64_t table) {
  for (int64_t r = first_y(); r < rows; r += step_y()) {
    const int64_t i = index[r];
    for (int64_t c = first_x(); c < n; c += step_x())
      y[r * n + c] = within(i, table) ? Convert{}(x[i * n + c]) : no_value<Y>();
  }
}

template <class T>
__global__ void one_hot_kernel(const int64_t* label, T* y, int64_t rows, int64_t n) {
  for (int64_t r = first_y(); r < rows; r += step_y()) {
    const int64_t hot = label[r];
    for (int64_t c = first_x(); c < n; c += step_x())
      y[r * n + c] = !within(hot, n) ? no_value<T>() : c == hot ? T(1) : T(0);
  }
}

template <class T>
__global__ void pick_kernel(const T* x, const int64_t* label, T* y, int64_t rows, int64_t n) {
  for (int64_t r = first_x(); r < rows; r += step_x())
    y[r] = within(label[r], n) ? x[r * n + label[r]] : no_value<T>();
}

template <class T>
__global__ void pick_bwd_kernel(const T* dy, const int64_t* label, T* dx, int64_t rows, int64_t n, bool add) {
  for (int64_t r = first_y(); r < rows; r += step_y()) {
    const int64_t hot = label[r];
    for (int64_t c = first_x(); c < n; c += step_x()) {
      const T g = !within(hot, n) ? no_value<T>() : c == hot ? dy[r] : T(0);
      dx[r * n + c] = add ? dx[r * n + c] + g : g;
    }
  }
}

/// y[r] = a[r % a_rows] + v[r / block]
template <class T>
__global__ void outer_add_kernel(const T* a, const T* v, T* y, int64_t rows, int64_t n, int64_t a_rows,
                                 int64_t block) {
  for (int64_t r = first_y(); r < rows; r += step_y()) {
    const T *a_row = a + r % a_rows * n, *v_row = v + r / block * n;
    for (int64_t c = first_x(); c < n; c += step_x()) y[r * n + c] = a_row[c] + v_row[c];
  }
}

/// Tiles of 32 x 32 through shared memory, so that both sides are read and written along their rows. The tile
/// is one wider than a warp: its columns then lie in different banks.
template <class T>
__global__ void transpose_kernel(const T* x, T* y, int64_t m, int64_t n) {
  VAE_SHARED(T, tile, kWarp * (kWarp + 1));
  const int64_t tiles = (n + kWarp - 1) / kWarp * ((m + kWarp - 1) / kWarp);
  for (int64_t t = blockIdx.x; t < tiles; t += gridDim.x) {
    const int64_t across = (n + kWarp - 1) / kWarp, r0 = t / across * kWarp, c0 = t % across * kWarp;
    for (int i = static_cast<int>(threadIdx.y); i < kWarp; i += kRowThreads)
      if (r0 + i < m && c0 + threadIdx.x < n)
        tile[i * (kWarp + 1) + threadIdx.x] = x[(r0 + i) * n + c0 + threadIdx.x];
    __syncthreads();
    for (int i = static_cast<int>(threadIdx.y); i < kWarp; i += kRowThreads)
      if (c0 + i < n && r0 + threadIdx.x < m)
        y[(c0 + i) * m + r0 + threadIdx.x] = tile[threadIdx.x * (kWarp + 1) + i];
    __syncthreads();  // before the next tile is read in
  }
}

}  // namespace

void fill(Out y, double value) {
  const OnDevice gpu(y);
  dispatch_any(y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    launch("fill", fill_kernel<T>, gpu.line(y.numel()), y.data<T>(), y.numel(), static_cast<T>(value));
  });
}

void cast(In x, Out y) {
  const OnDevice gpu(y);
  dispatch_cast(x, y, [&](auto from, auto to) {
    using From = decltype(from);
    using To = decltype(to);
    launch("cast", cast_kernel<From, To>, gpu.line(y.numel()), x.data<From>(), y.data<To>(), y.numel());
  });
}

void tally(Inputs numbers, Out sums, Inputs counters) {
  check_tally(numbers, sums, counters);
  const OnDevice gpu(sums);
  Counters all{};
  for (size_t i = 0; i < counters.size(); ++i) all.of[i] = counters[i].data<int64_t>();
  DType dtype = DType::f32;
  for (const Tensor& number : numbers)
    if (number.defined()) dtype = number.dtype();
  dispatch_floating(dtype, [&](auto zero) {
    using T = decltype(zero);
    for (size_t begin = 0; begin == 0 || begin < numbers.size(); begin += kNumbers) {
      Numbers<T> few{};
      for (size_t i = 0; i < kNumbers && begin + i < numbers.size(); ++i)
        if (numbers[begin + i].defined()) few.of[i] = numbers[begin + i].data<T>();
      launch("tally", tally_kernel<T>, gpu.config({1}, {kNumbers}), few, sums.data<double>() + begin,
             begin == 0 ? all : Counters{});
    }
  });
}

void increment(Out y) {
  check_increment(y);
  const OnDevice gpu(y);
  launch("increment", increment_kernel, gpu.config({1}, {1}), y.data<int64_t>());
}

void gather_rows(In x, In index, Out y) {
  check_gather("gather_rows", x, index, y);
  VAE_CHECK(x.dtype() == y.dtype(), "gather_rows: {} into {}", x.str(), y.str());
  const int64_t rows = index.numel(), n = rows ? y.numel() / rows : 0;
  const OnDevice gpu(y);
  dispatch_any(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    launch("gather_rows", gather_kernel<Copy<T>, T, T>, gpu.plane(rows, n), x.data<T>(),
           index.data<int64_t>(), y.data<T>(), rows, n, x.size(0));
  });
}

void gather_pixels(In x, In index, Out y, Pixels pixels) {
  check_gather_pixels(x, index, y);
  const int64_t rows = index.numel(), n = rows ? y.numel() / rows : 0;
  const OnDevice gpu(y);
  dispatch_floating(y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const auto kernel =
        pixels == Pixels::binary ? gather_kernel<Binary<T>, uint8_t, T> : gather_kernel<Unit<T>, uint8_t, T>;
    launch("gather_pixels", kernel, gpu.plane(rows, n), x.data<uint8_t>(), index.data<int64_t>(), y.data<T>(),
           rows, n, x.size(0));
  });
}

void one_hot(In labels, Out y) {
  check_one_hot(labels, y);
  const int64_t n = columns_of(y.shape()), rows = labels.numel();
  const OnDevice gpu(y);
  dispatch_floating(y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    launch("one_hot", one_hot_kernel<T>, gpu.plane(rows, n), labels.data<int64_t>(), y.data<T>(), rows, n);
  });
}

void pick(In x, In label, Out y) {
  check_pick("pick", x, label, y);
  const OnDevice gpu(y);
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    launch("pick", pick_kernel<T>, gpu.line(label.numel()), x.data<T>(), label.data<int64_t>(), y.data<T>(),
           label.numel(), columns_of(x.shape()));
  });
}

void pick_bwd(In dy, In label, Out dx, Write write) {
  check_pick("pick_bwd", dx, label, dy);
  const int64_t n = columns_of(dx.shape()), rows = label.numel();
  const OnDevice gpu(dx);
  dispatch_floating(dx.dtype(), [&](auto zero) {
    using T = decltype(zero);
    launch("pick_bwd", pick_bwd_kernel<T>, gpu.plane(rows, n), dy.data<T>(), label.data<int64_t>(),
           dx.data<T>(), rows, n, write == Write::add);
  });
}

void outer_add(In a, In v, Out y) {
  const int64_t copies = check_outer_add(a, v, y), n = columns_of(y.shape());
  if (y.numel() == 0) return;
  const int64_t rows = y.numel() / n, a_rows = a.numel() / n, block = rows / copies;
  const OnDevice gpu(y);
  dispatch_floating(y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    launch("outer_add", outer_add_kernel<T>, gpu.plane(rows, n), a.data<T>(), v.data<T>(), y.data<T>(), rows,
           n, a_rows, block);
  });
}

void transpose(In x, Out y) {
  check_transpose(x, y);
  const int64_t n = columns_of(x.shape()), m = rows_of(x.shape());
  const OnDevice gpu(y);
  const LaunchConfig tiles = gpu.config({blocks_for(m * n, kWarp * kWarp)}, {kWarp, kRowThreads});
  dispatch_any(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    launch("transpose", transpose_kernel<T>, tiles, x.data<T>(), y.data<T>(), m, n);
  });
}

}  // namespace vae::kernels::VAE_GPU
