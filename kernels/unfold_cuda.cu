// Images to columns and back on CUDA devices: a thread per element of the result, which it alone writes.
#include "kernels/cuda/launch.h"
#include "kernels/kernels.h"

namespace vae::kernels::VAE_GPU {
namespace {

template <class T>
__global__ void unfold_elements(const T* x, T* columns, Sliding s, int64_t first, int64_t count) {
  const WindowAxis &h = s.window.h, &w = s.window.w;
  for (int64_t i = first_x(); i < count; i += step_x()) {
    const int64_t c = i % s.c, tap = i / s.c % (h.kernel * w.kernel),
                  index = first + i / (s.c * h.kernel * w.kernel);
    const int64_t row = index / s.ow % s.oh * h.stride - h.padding + tap / w.kernel,
                  column = index % s.ow * w.stride - w.padding + tap % w.kernel;
    const bool inside = row >= 0 && row < s.h && column >= 0 && column < s.w;
    const int64_t image = index / (s.oh * s.ow);
    columns[i] = inside ? x[((image * s.h + row) * s.w + column) * s.c + c] : T(0);
  }
}

/// Adds to the elements [begin, end) of x what the windows `range` say about them.
template <class T>
__global__ void fold_elements(const T* columns, T* x, Sliding s, Span range, int64_t begin, int64_t end) {
  const WindowAxis &h = s.window.h, &w = s.window.w;
  for (int64_t i = begin + first_x(); i < end; i += step_x()) {
    const int64_t c = i % s.c, column = i / s.c % s.w, row = i / (s.c * s.w) % s.h,
                  image = i / (s.c * s.w * s.h);
    const Span rows = h.covering(row, s.oh), positions = w.covering(column, s.ow);
    T total = 0;
    for (int64_t oh = rows.begin; oh < rows.end; ++oh)
      for (int64_t ow = positions.begin; ow < positions.end; ++ow) {
        const int64_t index = (image * s.oh + oh) * s.ow + ow;
        if (index < range.begin || index >= range.end) continue;
        const int64_t tap = h.tap(oh, row) * w.kernel + w.tap(ow, column);
        total += columns[((index - range.begin) * h.kernel * w.kernel + tap) * s.c + c];
      }
    x[i] += total;
  }
}

}  // namespace

void unfold(In x, Out columns, const Window& window, int64_t first) {
  const Sliding s = unfold_sizes("unfold", x, columns, window, first);
  const OnDevice gpu(x);
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    launch("unfold", unfold_elements<T>, gpu.line(columns.numel()), x.data<T>(), columns.data<T>(), s, first,
           columns.numel());
  });
}

void fold(In columns, Out x, const Window& window, int64_t first) {
  const Sliding s = unfold_sizes("fold", x, columns, window, first);
  if (columns.numel() == 0 || x.numel() == 0) return;
  const Span range{first, first + columns.size(0)};
  const int64_t windows = s.oh * s.ow, image = s.h * s.w * s.c;
  const int64_t begin = range.begin / windows * image, end = ((range.end - 1) / windows + 1) * image;
  const OnDevice gpu(x);
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    launch("fold", fold_elements<T>, gpu.line(end - begin), columns.data<T>(), x.data<T>(), s, range, begin,
           end);
  });
}

}  // namespace vae::kernels::VAE_GPU
