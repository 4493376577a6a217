// Log-sum-exp on the CPU: vector loops over the lines of `inner`; where that is 1, over a group of turned
// rows, or along a long row.
#include "kernels/elementwise/formula.h"
#include "kernels/kernels.h"
#include "kernels/lanes.h"
#include "kernels/log_sum_exp.h"
#include "kernels/simd.h"

namespace vae::kernels::cpu {
namespace {

constexpr int64_t kTile = 1024;  // lines taken together
static_assert(kTile >= kLanes);

/// What is subtracted before the exponential: nothing for an infinity, which would leave inf - inf.
template <class T>
[[gnu::always_inline]] inline T shift_of(T top) {
  return detail::abs_of(top) == std::numeric_limits<T>::infinity() ? T(0) : top;
}

/// Largest element of `width` lines, whose elements are `stride` apart.
template <class T>
VAE_CLONES void largest_of_lines(const T* x, int64_t stride, int64_t count, int64_t width, T* top) {
#pragma omp simd
  for (int64_t i = 0; i < width; ++i) top[i] = x[i];
  for (int64_t k = 1; k < count; ++k)
#pragma omp simd
    for (int64_t i = 0; i < width; ++i) top[i] = x[k * stride + i] > top[i] ? x[k * stride + i] : top[i];
}

template <class T>
VAE_CLONES void forward_lines(const T* x, int64_t stride, int64_t count, int64_t width, T eps, T* y) {
  T shift[kTile], total[kTile];
  largest_of_lines(x, stride, count, width, shift);
#pragma omp simd
  for (int64_t i = 0; i < width; ++i) shift[i] = shift_of(shift[i]), total[i] = 0;
  for (int64_t k = 0; k < count; ++k)
#pragma omp simd
    for (int64_t i = 0; i < width; ++i) total[i] += detail::exp_flushed_of(x[k * stride + i] - shift[i]);
#pragma omp simd
  for (int64_t i = 0; i < width; ++i) y[i] = shift[i] + detail::log_of(total[i] + eps);
}

/// dx = dy e^(x - y), and at the first largest x of a line eps times as much more.
template <class T>
VAE_CLONES void backward_lines(const T* dy, const T* x, const T* y, T* dx, int64_t stride, int64_t count,
                               int64_t width, T eps, bool add) {
  T top[kTile], more[kTile];
  if (eps > 0) largest_of_lines(x, stride, count, width, top);
  for (int64_t i = 0; i < width; ++i) more[i] = eps;
  for (int64_t k = 0; k < count; ++k, x += stride, dx += stride) {
    if (eps > 0) {
#pragma omp simd
      for (int64_t i = 0; i < width; ++i) {
        const T share = detail::exp_flushed_of(x[i] - y[i]);
        const T gradient = dy[i] * (x[i] == top[i] ? share + more[i] * share : share);
        more[i] = x[i] == top[i] ? T(0) : more[i];
        dx[i] = add ? dx[i] + gradient : gradient;
      }
    } else {
#pragma omp simd
      for (int64_t i = 0; i < width; ++i) {
        const T gradient = dy[i] * detail::exp_flushed_of(x[i] - y[i]);
        dx[i] = add ? dx[i] + gradient : gradient;
      }
    }
  }
}

template <class T>
VAE_CLONES T forward_row(const T* x, int64_t n, T eps) {
  T shift = x[0], total = 0;
#pragma omp simd reduction(max : shift)
  for (int64_t k = 0; k < n; ++k) shift = x[k] > shift ? x[k] : shift;
  shift = shift_of(shift);
#pragma omp simd reduction(+ : total)
  for (int64_t k = 0; k < n; ++k) total += detail::exp_flushed_of(x[k] - shift);
  return shift + detail::log_of(total + eps);
}

template <class T>
VAE_CLONES void backward_row(T dy, const T* x, T y, T* dx, int64_t n, T eps, bool add) {
#pragma omp simd
  for (int64_t k = 0; k < n; ++k) {
    const T gradient = dy * detail::exp_flushed_of(x[k] - y);
    dx[k] = add ? dx[k] + gradient : gradient;
  }
  if (!(eps > 0)) return;
  const int64_t top = std::max_element(x, x + n) - x;
  dx[top] += dy * eps * detail::exp_flushed_of(x[top] - y);
}

bool is_narrow(Axis axis) { return axis.inner == 1 && axis.count <= kNarrow; }

/// Calls body(offset in x, offset in y, width) for tiles of lines, or for rows, in parallel.
template <class Body>
void for_tiles(Axis axis, const Body& body) {
  const int64_t tiles = (axis.inner + kTile - 1) / kTile;
  parallel_for(axis.outer * tiles,
               std::max<int64_t>(1, 4096 / (axis.count * std::clamp<int64_t>(axis.inner, 1, kTile))),
               [&](int64_t begin, int64_t end) {
                 for (int64_t t = begin; t < end; ++t) {
                   const int64_t o = t / tiles, i = t % tiles * kTile;
                   body(o * axis.count * axis.inner + i, o * axis.inner + i, std::min(kTile, axis.inner - i));
                 }
               });
}

template <class T>
void forward(const T* x, T* y, Axis axis, T eps) {
  const int64_t n = axis.count;
  if (is_narrow(axis))
    return for_groups(axis.outer, n, [&](int64_t first, int64_t rows) {
      Lanes<T> lanes(x + first * n, rows, n);
      forward_lines(lanes.data(), kLanes, n, rows, eps, y + first);
    });
  for_tiles(axis, [&](int64_t from, int64_t to, int64_t width) {
    if (axis.inner == 1)
      y[to] = forward_row(x + from, n, eps);
    else
      forward_lines(x + from, axis.inner, n, width, eps, y + to);
  });
}

template <class T>
void backward(const T* dy, const T* x, const T* y, T* dx, Axis axis, T eps, Write write) {
  const int64_t n = axis.count;
  const bool add = write == Write::add;
  if (is_narrow(axis))
    return for_groups(axis.outer, n, [&](int64_t first, int64_t rows) {
      Lanes<T> lanes(x + first * n, rows, n);
      backward_lines(dy + first, lanes.data(), y + first, lanes.data(), kLanes, n, rows, eps, false);
      lanes.store(dx + first * n, write);
    });
  for_tiles(axis, [&](int64_t at, int64_t line, int64_t width) {
    if (axis.inner == 1)
      backward_row(dy[line], x + at, y[line], dx + at, n, eps, add);
    else
      backward_lines(dy + line, x + at, y + line, dx + at, axis.inner, n, width, eps, add);
  });
}

}  // namespace

void log_sum_exp_fwd(In x, Out y, Axis axis, double eps) {
  check_log_sum_exp("log_sum_exp", x, y, axis, eps);
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    forward(x.data<T>(), y.data<T>(), axis, static_cast<T>(eps));
  });
}

void log_sum_exp_bwd(In dy, In x, In y, Out dx, Axis axis, double eps, Write write) {
  check_log_sum_exp("log_sum_exp_bwd", x, y, axis, eps);
  check_log_sum_exp("log_sum_exp_bwd", dx, dy, axis, eps);
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    backward(dy.data<T>(), x.data<T>(), y.data<T>(), dx.data<T>(), axis, static_cast<T>(eps), write);
  });
}

}  // namespace vae::kernels::cpu
