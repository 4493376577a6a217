// Pooling on the CPU: vector loops over the channels. Backward passes gather over the windows that cover a
// pixel, so overlapping windows are summed in one order whatever the threads.
#include "kernels/kernels.h"
#include "kernels/simd.h"
#include "tensor/parallel.h"

namespace vae::kernels::cpu {
namespace {

constexpr int64_t kGrain = 16384;  // elements worth a thread

/// Largest of the pixels under a window, by channel, and its position row * w + column.
template <class T>
VAE_CLONES void largest(const T* x, Span rows, Span columns, int64_t w, int64_t channels, T* y,
                        int32_t* index) {
  for (int64_t row = rows.begin; row < rows.end; ++row)
    for (int64_t column = columns.begin; column < columns.end; ++column) {
      const bool first = row == rows.begin && column == columns.begin;
      const auto position = static_cast<int32_t>(row * w + column);
      const T* from = x + position * channels;
#pragma omp simd
      for (int64_t c = 0; c < channels; ++c) {
        const bool larger = first || from[c] > y[c] || from[c] != from[c];
        y[c] = larger ? from[c] : y[c];
        index[c] = larger ? position : index[c];
      }
    }
}

template <class T>
VAE_CLONES void add_where(const T* dy, const int32_t* index, int32_t position, int64_t n, T* dx) {
#pragma omp simd
  for (int64_t c = 0; c < n; ++c) dx[c] += index[c] == position ? dy[c] : T(0);
}

/// y = beta y + scale x
template <class T>
VAE_CLONES void add_scaled(const T* x, T scale, T beta, int64_t n, T* y) {
#pragma omp simd
  for (int64_t c = 0; c < n; ++c) y[c] = (beta == 0 ? T(0) : beta * y[c]) + scale * x[c];
}

/// Calls body(image, row) for all rows of all images in parallel.
template <class Body>
void for_rows(int64_t images, int64_t rows, int64_t elements, const Body& body) {
  parallel_for(images * rows, std::max<int64_t>(1, kGrain / std::max<int64_t>(elements, 1)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t i = begin; i < end; ++i) body(i / rows, i % rows);
               });
}

/// Calls body(row, column) for the pixels under the window at (oh, ow).
template <class Body>
void for_pixels(const Sliding& s, int64_t oh, int64_t ow, const Body& body) {
  const Span rows = s.window.h.pixels(oh, s.h), columns = s.window.w.pixels(ow, s.w);
  for (int64_t row = rows.begin; row < rows.end; ++row)
    for (int64_t column = columns.begin; column < columns.end; ++column) body(row, column);
}

/// Calls body(oh, ow) for the windows over a pixel.
template <class Body>
void for_windows(const Sliding& s, int64_t row, int64_t column, const Body& body) {
  const Span rows = s.window.h.covering(row, s.oh), columns = s.window.w.covering(column, s.ow);
  for (int64_t oh = rows.begin; oh < rows.end; ++oh)
    for (int64_t ow = columns.begin; ow < columns.end; ++ow) body(oh, ow);
}

double weight_of(const Sliding& s, Divisor divisor, int64_t oh, int64_t ow) {
  const WindowAxis &h = s.window.h, &w = s.window.w;
  return 1 / static_cast<double>(divisor == Divisor::window
                                     ? h.kernel * w.kernel
                                     : h.pixels(oh, s.h).size() * w.pixels(ow, s.w).size());
}

}  // namespace

void max_pool_fwd(In x, Out y, Out index, const Window& window) {
  const Sliding s = max_pool_sizes("max_pool_fwd", x, y, index, window);
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_rows(s.n, s.oh, s.ow * s.c, [&](int64_t image, int64_t oh) {
      for (int64_t ow = 0; ow < s.ow; ++ow) {
        const int64_t to = ((image * s.oh + oh) * s.ow + ow) * s.c;
        largest(x.data<T>() + image * s.h * s.w * s.c, window.h.pixels(oh, s.h), window.w.pixels(ow, s.w),
                s.w, s.c, y.data<T>() + to, index.data<int32_t>() + to);
      }
    });
  });
}

void max_pool_bwd(In dy, In index, Out dx, const Window& window, Write write) {
  const Sliding s = max_pool_sizes("max_pool_bwd", dx, dy, index, window);
  dispatch_floating(dx.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_rows(s.n, s.h, s.w * s.c, [&](int64_t image, int64_t row) {
      for (int64_t column = 0; column < s.w; ++column) {
        const int64_t position = row * s.w + column;
        T* to = dx.data<T>() + (image * s.h * s.w + position) * s.c;
        if (write == Write::set) std::fill_n(to, s.c, T(0));
        for_windows(s, row, column, [&](int64_t oh, int64_t ow) {
          const int64_t from = ((image * s.oh + oh) * s.ow + ow) * s.c;
          add_where(dy.data<T>() + from, index.data<int32_t>() + from, static_cast<int32_t>(position), s.c,
                    to);
        });
      }
    });
  });
}

void avg_pool_fwd(In x, Out y, const Window& window, Divisor divisor) {
  const Sliding s = pool_sizes("avg_pool_fwd", x, y, window);
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_rows(s.n, s.oh, s.ow * s.c, [&](int64_t image, int64_t oh) {
      for (int64_t ow = 0; ow < s.ow; ++ow) {
        const T weight = static_cast<T>(weight_of(s, divisor, oh, ow));
        T beta = 0;
        for_pixels(s, oh, ow, [&](int64_t row, int64_t column) {
          add_scaled(x.data<T>() + ((image * s.h + row) * s.w + column) * s.c, weight, beta, s.c,
                     y.data<T>() + ((image * s.oh + oh) * s.ow + ow) * s.c);
          beta = 1;
        });
      }
    });
  });
}

void avg_pool_bwd(In dy, Out dx, const Window& window, Divisor divisor, Write write) {
  const Sliding s = pool_sizes("avg_pool_bwd", dx, dy, window);
  dispatch_floating(dx.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_rows(s.n, s.h, s.w * s.c, [&](int64_t image, int64_t row) {
      for (int64_t column = 0; column < s.w; ++column) {
        T* to = dx.data<T>() + ((image * s.h + row) * s.w + column) * s.c;
        if (write == Write::set) std::fill_n(to, s.c, T(0));
        for_windows(s, row, column, [&](int64_t oh, int64_t ow) {
          add_scaled(dy.data<T>() + ((image * s.oh + oh) * s.ow + ow) * s.c,
                     static_cast<T>(weight_of(s, divisor, oh, ow)), T(1), s.c, to);
        });
      }
    });
  });
}

}  // namespace vae::kernels::cpu
