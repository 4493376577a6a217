// Softmax and log-softmax over the columns of m x n, shifted by the row's maximum: rows in passes that stay
// in the cache, short rows as lanes.
#include "kernels/elementwise/formula.h"
#include "kernels/kernels.h"
#include "kernels/lanes.h"
#include "kernels/simd.h"
#include "kernels/softmax.h"

namespace vae::kernels::cpu {
namespace {

// ---- a row of any length
// -----------------------------------------------------------------------------------

template <class T>
VAE_CLONES T largest(const T* x, int64_t n) {
  T top = x[0];
#pragma omp simd reduction(max : top)
  for (int64_t c = 0; c < n; ++c) top = x[c] > top ? x[c] : top;
  return top;
}

template <class T>
VAE_CLONES void softmax_row(const T* x, T* y, int64_t n, T top) {
  T total = 0;
#pragma omp simd reduction(+ : total)
  for (int64_t c = 0; c < n; ++c) {
    y[c] = detail::exp_flushed_of(x[c] - top);
    total += y[c];
  }
  const T share = T(1) / total;
#pragma omp simd
  for (int64_t c = 0; c < n; ++c) y[c] *= share;
}

template <class T>
VAE_CLONES void log_softmax_row(const T* x, T* y, int64_t n, T top) {
  T total = 0;
#pragma omp simd reduction(+ : total)
  for (int64_t c = 0; c < n; ++c) total += detail::exp_flushed_of(x[c] - top);
  const T shift = top + detail::log_of(total);
#pragma omp simd
  for (int64_t c = 0; c < n; ++c) y[c] = x[c] - shift;
}

/// dx = y (dy - sum y dy) of softmax y, dy - e^y sum dy of log-softmax y.
template <bool log_space, class T>
VAE_CLONES void backward_row(const T* dy, const T* y, T* dx, int64_t n, bool add) {
  T total = 0;
#pragma omp simd reduction(+ : total)
  for (int64_t c = 0; c < n; ++c) total += log_space ? dy[c] : y[c] * dy[c];
#pragma omp simd
  for (int64_t c = 0; c < n; ++c) {
    const T gradient = log_space ? dy[c] - detail::exp_flushed_of(y[c]) * total : y[c] * (dy[c] - total);
    dx[c] = add ? dx[c] + gradient : gradient;
  }
}

// ---- n columns of lanes, in place
// --------------------------------------------------------------------------

template <bool log_space, class T>
VAE_CLONES void softmax_lanes(T* x, int64_t n) {
  T top[kLanes], total[kLanes];
  for (int64_t l = 0; l < kLanes; ++l) top[l] = x[l], total[l] = 0;
  for (int64_t c = 1; c < n; ++c)
#pragma omp simd
    for (int64_t l = 0; l < kLanes; ++l) top[l] = x[c * kLanes + l] > top[l] ? x[c * kLanes + l] : top[l];
  for (int64_t c = 0; c < n; ++c)
#pragma omp simd
    for (int64_t l = 0; l < kLanes; ++l) {
      const T e = detail::exp_flushed_of(x[c * kLanes + l] - top[l]);
      if (!log_space) x[c * kLanes + l] = e;
      total[l] += e;
    }
#pragma omp simd
  for (int64_t l = 0; l < kLanes; ++l)
    total[l] = log_space ? top[l] + detail::log_of(total[l]) : T(1) / total[l];
  for (int64_t c = 0; c < n; ++c)
#pragma omp simd
    for (int64_t l = 0; l < kLanes; ++l) {
      T& value = x[c * kLanes + l];
      value = log_space ? value - total[l] : value * total[l];
    }
}

/// dy becomes dx.
template <bool log_space, class T>
VAE_CLONES void backward_lanes(T* dy, const T* y, int64_t n) {
  T total[kLanes] = {};
  for (int64_t c = 0; c < n; ++c)
#pragma omp simd
    for (int64_t l = 0; l < kLanes; ++l)
      total[l] += log_space ? dy[c * kLanes + l] : y[c * kLanes + l] * dy[c * kLanes + l];
  for (int64_t c = 0; c < n; ++c)
#pragma omp simd
    for (int64_t l = 0; l < kLanes; ++l) {
      const T g = dy[c * kLanes + l], value = y[c * kLanes + l];
      dy[c * kLanes + l] = log_space ? g - detail::exp_flushed_of(value) * total[l] : value * (g - total[l]);
    }
}

// ---- both
// --------------------------------------------------------------------------------------------------

/// Calls body(offset of a row) in parallel.
template <class Body>
void for_rows(int64_t rows, int64_t n, const Body& body) {
  parallel_for(rows, std::max<int64_t>(1, 4096 / n), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) body(r * n);
  });
}

template <bool log_space>
void forward(const char* kernel, In x, Out y) {
  check_softmax(kernel, x, y);
  const int64_t n = columns_of(x.shape()), rows = n ? x.numel() / n : 0;
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* from = x.data<T>();
    T* to = y.data<T>();
    if (n <= kNarrow)
      return for_groups(rows, n, [&](int64_t first, int64_t count) {
        Lanes<T> lanes(from + first * n, count, n);
        softmax_lanes<log_space>(lanes.data(), n);
        lanes.store(to + first * n, Write::set);
      });
    const auto row = log_space ? log_softmax_row<T> : softmax_row<T>;
    for_rows(rows, n, [&](int64_t at) { row(from + at, to + at, n, largest(from + at, n)); });
  });
}

template <bool log_space>
void backward(const char* kernel, In dy, In y, Out dx, Write write) {
  check_softmax(kernel, dy, y);
  check_softmax(kernel, dy, dx);
  const int64_t n = columns_of(y.shape()), rows = n ? y.numel() / n : 0;
  dispatch_floating(y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T *gradient = dy.data<T>(), *value = y.data<T>();
    T* to = dx.data<T>();
    if (n <= kNarrow)
      return for_groups(rows, n, [&](int64_t first, int64_t count) {
        Lanes<T> lanes(gradient + first * n, count, n), values(value + first * n, count, n);
        backward_lanes<log_space>(lanes.data(), values.data(), n);
        lanes.store(to + first * n, write);
      });
    for_rows(rows, n, [&](int64_t at) {
      backward_row<log_space>(gradient + at, value + at, to + at, n, write == Write::add);
    });
  });
}

}  // namespace

void softmax_fwd(In x, Out y) { forward<false>("softmax", x, y); }

void log_softmax_fwd(In x, Out y) { forward<true>("log_softmax", x, y); }

void softmax_bwd(In dy, In y, Out dx, Write write) { backward<false>("softmax_bwd", dy, y, dx, write); }

void log_softmax_bwd(In dy, In y, Out dx, Write write) {
  backward<true>("log_softmax_bwd", dy, y, dx, write);
}

}  // namespace vae::kernels::cpu
