// Pooling on CUDA devices: a thread per element of the result. Backward passes gather over the windows that
// cover a pixel, in one order.
#include "kernels/cuda/launch.h"
#include "kernels/kernels.h"

namespace vae::kernels::VAE_GPU {
namespace {

/// Channel, column, row and image of element i of an array of images.
struct Element {
  int64_t c, column, row, image;
  __device__ Element(int64_t i, int64_t h, int64_t w, int64_t channels)
      : c(i % channels),
        column(i / channels % w),
        row(i / (channels * w) % h),
        image(i / (channels * w * h)) {}
};

template <class T>
__global__ void max_pool_elements(const T* x, T* y, int32_t* index, Sliding s, int64_t count) {
  for (int64_t i = first_x(); i < count; i += step_x()) {
    const Element at(i, s.oh, s.ow, s.c);
    const Span rows = s.window.h.pixels(at.row, s.h), columns = s.window.w.pixels(at.column, s.w);
    const T* image = x + at.image * s.h * s.w * s.c + at.c;
    int64_t best = rows.begin * s.w + columns.begin;
    T largest = image[best * s.c];
    for (int64_t row = rows.begin; row < rows.end; ++row)
      for (int64_t column = columns.begin; column < columns.end; ++column) {
        const int64_t position = row * s.w + column;
        const T value = image[position * s.c];
        if (value > largest || (value != value && position != best)) largest = value, best = position;
      }
    y[i] = largest;
    index[i] = static_cast<int32_t>(best);
  }
}

template <class T>
__global__ void max_pool_gradients(const T* dy, const int32_t* index, T* dx, Sliding s, int64_t count,
                                   bool add) {
  for (int64_t i = first_x(); i < count; i += step_x()) {
    const Element at(i, s.h, s.w, s.c);
    const Span rows = s.window.h.covering(at.row, s.oh), columns = s.window.w.covering(at.column, s.ow);
    const int64_t position = at.row * s.w + at.column;
    T total = add ? dx[i] : T(0);
    for (int64_t oh = rows.begin; oh < rows.end; ++oh)
      for (int64_t ow = columns.begin; ow < columns.end; ++ow) {
        const int64_t from = ((at.image * s.oh + oh) * s.ow + ow) * s.c + at.c;
        if (index[from] == position) total += dy[from];
      }
    dx[i] = total;
  }
}

template <class T>
__device__ T weight_of(const Sliding& s, Divisor divisor, int64_t oh, int64_t ow) {
  const WindowAxis &h = s.window.h, &w = s.window.w;
  const int64_t size =
      divisor == Divisor::window ? h.kernel * w.kernel : h.pixels(oh, s.h).size() * w.pixels(ow, s.w).size();
  return static_cast<T>(1 / static_cast<double>(size));
}

template <class T>
__global__ void avg_pool_elements(const T* x, T* y, Sliding s, Divisor divisor, int64_t count) {
  for (int64_t i = first_x(); i < count; i += step_x()) {
    const Element at(i, s.oh, s.ow, s.c);
    const Span rows = s.window.h.pixels(at.row, s.h), columns = s.window.w.pixels(at.column, s.w);
    const T weight = weight_of<T>(s, divisor, at.row, at.column);
    T total = 0;
    for (int64_t row = rows.begin; row < rows.end; ++row)
      for (int64_t column = columns.begin; column < columns.end; ++column)
        total += weight * x[((at.image * s.h + row) * s.w + column) * s.c + at.c];
    y[i] = total;
  }
}

template <class T>
__global__ void avg_pool_gradients(const T* dy, T* dx, Sliding s, Divisor divisor, int64_t count, bool add) {
  for (int64_t i = first_x(); i < count; i += step_x()) {
    const Element at(i, s.h, s.w, s.c);
    const Span rows = s.window.h.covering(at.row, s.oh), columns = s.window.w.covering(at.column, s.ow);
    T total = add ? dx[i] : T(0);
    for (int64_t oh = rows.begin; oh < rows.end; ++oh)
      for (int64_t ow = columns.begin; ow < columns.end; ++ow)
        total += weight_of<T>(s, divisor, oh, ow) * dy[((at.image * s.oh + oh) * s.ow + ow) * s.c + at.c];
    dx[i] = total;
  }
}

}  // namespace

void max_pool_fwd(In x, Out y, Out index, const Window& window) {
  const Sliding s = max_pool_sizes("max_pool_fwd", x, y, index, window);
  const OnDevice gpu(x);
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    launch("max_pool_fwd", max_pool_elements<T>, gpu.line(y.numel()), x.data<T>(), y.data<T>(),
           index.data<int32_t>(), s, y.numel());
  });
}

void max_pool_bwd(In dy, In index, Out dx, const Window& window, Write write) {
  const Sliding s = max_pool_sizes("max_pool_bwd", dx, dy, index, window);
  const OnDevice gpu(dx);
  dispatch_floating(dx.dtype(), [&](auto zero) {
    using T = decltype(zero);
    launch("max_pool_bwd", max_pool_gradients<T>, gpu.line(dx.numel()), dy.data<T>(), index.data<int32_t>(),
           dx.data<T>(), s, dx.numel(), write == Write::add);
  });
}

void avg_pool_fwd(In x, Out y, const Window& window, Divisor divisor) {
  const Sliding s = pool_sizes("avg_pool_fwd", x, y, window);
  const OnDevice gpu(x);
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    launch("avg_pool_fwd", avg_pool_elements<T>, gpu.line(y.numel()), x.data<T>(), y.data<T>(), s, divisor,
           y.numel());
  });
}

void avg_pool_bwd(In dy, Out dx, const Window& window, Divisor divisor, Write write) {
  const Sliding s = pool_sizes("avg_pool_bwd", dx, dy, window);
  const OnDevice gpu(dx);
  dispatch_floating(dx.dtype(), [&](auto zero) {
    using T = decltype(zero);
    launch("avg_pool_bwd", avg_pool_gradients<T>, gpu.line(dx.numel()), dy.data<T>(), dx.data<T>(), s,
           divisor, dx.numel(), write == Write::add);
  });
}

}  // namespace vae::kernels::VAE_GPU
