// Images to columns and back on the CPU. Threads divide the windows when unfolding and the pixels when
// folding, so that every element is summed by one thread in one order.
#include <cstring>

#include "kernels/kernels.h"
#include "tensor/parallel.h"

namespace vae::kernels::cpu {
namespace {

constexpr int64_t kGrain = 16384;  // elements worth a thread

/// The window number `index` in row-major order over images, rows and columns.
struct Place {
  int64_t image, row, column;
  Place(const Sliding& s, int64_t index)
      : image(index / (s.oh * s.ow)), row(index / s.ow % s.oh), column(index % s.ow) {}
};

template <class T>
void unfold_window(const Sliding& s, const T* x, T* out, Place at) {
  const WindowAxis &h = s.window.h, &w = s.window.w;
  const Span columns = w.pixels(at.column, s.w);
  const int64_t left = w.tap(at.column, columns.begin) * s.c, inside = columns.size() * s.c,
                row_length = w.kernel * s.c;
  for (int64_t tap = 0; tap < h.kernel; ++tap, out += row_length) {
    const int64_t row = at.row * h.stride - h.padding + tap;
    if (row < 0 || row >= s.h || inside == 0) {
      std::fill_n(out, row_length, T(0));
      continue;
    }
    std::fill_n(out, left, T(0));
    std::copy_n(x + ((at.image * s.h + row) * s.w + columns.begin) * s.c, inside, out + left);
    std::fill_n(out + left + inside, row_length - left - inside, T(0));
  }
}

/// Adds to row (image, row) of x what the windows [range.begin, range.end) say about it.
template <class T>
void fold_row(const Sliding& s, const T* columns, T* x, int64_t image, int64_t row, Span range) {
  const WindowAxis &h = s.window.h, &w = s.window.w;
  const int64_t taps = h.kernel * w.kernel * s.c;
  const Span window_rows = h.covering(row, s.oh);
  for (int64_t oh = window_rows.begin; oh < window_rows.end; ++oh) {
    const int64_t first = (image * s.oh + oh) * s.ow, row_tap = h.tap(oh, row) * w.kernel;
    const int64_t begin = std::max(first, range.begin), end = std::min(first + s.ow, range.end);
    for (int64_t index = begin; index < end; ++index) {
      const Span pixels = w.pixels(index - first, s.w);
      const T* from =
          columns + (index - range.begin) * taps + (row_tap + w.tap(index - first, pixels.begin)) * s.c;
      T* to = x + pixels.begin * s.c;
      for (int64_t i = 0; i < pixels.size() * s.c; ++i) to[i] += from[i];
    }
  }
}

}  // namespace

void unfold(In x, Out columns, const Window& window, int64_t first) {
  const Sliding s = unfold_sizes("unfold", x, columns, window, first);
  const int64_t taps = columns.size(1);
  if (columns.numel() == 0) return;
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    parallel_for(columns.size(0), std::max<int64_t>(1, kGrain / taps), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        unfold_window(s, x.data<T>(), columns.data<T>() + i * taps, Place(s, first + i));
    });
  });
}

void fold(In columns, Out x, const Window& window, int64_t first) {
  const Sliding s = unfold_sizes("fold", x, columns, window, first);
  if (columns.numel() == 0 || x.numel() == 0) return;
  const Span range{first, first + columns.size(0)};
  const int64_t from = Place(s, range.begin).image * s.h, to = (Place(s, range.end - 1).image + 1) * s.h;
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    parallel_for(to - from, std::max<int64_t>(1, kGrain / (s.w * s.c)), [&](int64_t begin, int64_t end) {
      for (int64_t i = from + begin; i < from + end; ++i)
        fold_row(s, columns.data<T>(), x.data<T>() + i * s.w * s.c, i / s.h, i % s.h, range);
    });
  });
}

}  // namespace vae::kernels::cpu
