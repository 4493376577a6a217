// Softmax and log-softmax over the columns of m x n, shifted by the row's maximum. Rows are taken in groups,
// so that the exponentials of short rows, too, are computed in whole vectors.
#include <array>
#include <vector>

#include "kernels/kernels.h"
#include "kernels/simd.h"
#include "kernels/softmax.h"
#include "tensor/parallel.h"

namespace vae::kernels::cpu {
namespace {

constexpr int64_t kGroup = 2048;  // elements of a group of short rows

template <class T>
VAE_CLONES void exp_all(const T* x, T* y, int64_t n) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) y[i] = detail::exp_of(x[i]);
}

/// y = x - top of every row; the tops.
template <class T>
VAE_CLONES void shift_rows(const T* x, T* y, T* tops, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; ++r, x += n, y += n) {
    T top = x[0];
#pragma omp simd reduction(max : top)
    for (int64_t c = 0; c < n; ++c) top = x[c] > top ? x[c] : top;
    tops[r] = top;
#pragma omp simd
    for (int64_t c = 0; c < n; ++c) y[c] = x[c] - top;
  }
}

template <class T>
VAE_CLONES void normalize_rows(T* y, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; ++r, y += n) {
    T total = 0;
#pragma omp simd reduction(+ : total)
    for (int64_t c = 0; c < n; ++c) total += y[c];
#pragma omp simd
    for (int64_t c = 0; c < n; ++c) y[c] /= total;
  }
}

/// y = x - top - log sum e, the exponentials e of x - top given.
template <class T>
VAE_CLONES void subtract_log_sum(const T* x, const T* e, const T* tops, T* y, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; ++r, x += n, e += n, y += n) {
    T total = 0;
#pragma omp simd reduction(+ : total)
    for (int64_t c = 0; c < n; ++c) total += e[c];
    const T shift = tops[r] + detail::log_of(total);
#pragma omp simd
    for (int64_t c = 0; c < n; ++c) y[c] = x[c] - shift;
  }
}

/// dx = share (dy - sum share dy) of softmax, dy - share sum dy of log-softmax; share is the softmax.
template <bool log_space, class T>
VAE_CLONES void backward_rows(const T* dy, const T* share, T* dx, int64_t rows, int64_t n, bool add) {
  for (int64_t r = 0; r < rows; ++r, dy += n, share += n, dx += n) {
    T total = 0;
#pragma omp simd reduction(+ : total)
    for (int64_t c = 0; c < n; ++c) total += log_space ? dy[c] : share[c] * dy[c];
#pragma omp simd
    for (int64_t c = 0; c < n; ++c) {
      const T gradient = log_space ? dy[c] - share[c] * total : share[c] * (dy[c] - total);
      dx[c] = add ? dx[c] + gradient : gradient;
    }
  }
}

/// Calls body(offset, rows of the group, n) for groups of rows.
template <class Body>
void for_groups(In x, const Body& body) {
  const int64_t n = columns_of(x.shape()), rows = n ? x.numel() / n : 0;
  if (rows == 0) return;
  const int64_t group = std::max<int64_t>(1, kGroup / n), groups = (rows + group - 1) / group;
  parallel_for(groups, std::max<int64_t>(1, 2 * kGroup / (group * n)), [&](int64_t begin, int64_t end) {
    for (int64_t g = begin; g < end; ++g) body(g * group * n, std::min(group, rows - g * group), n);
  });
}

}  // namespace

void softmax_fwd(In x, Out y) {
  check_softmax("softmax", x, y);
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_groups(x, [&](int64_t at, int64_t rows, int64_t n) {
      std::array<T, kGroup> tops;
      T* out = y.data<T>() + at;
      shift_rows(x.data<T>() + at, out, tops.data(), rows, n);
      exp_all(out, out, rows * n);
      normalize_rows(out, rows, n);
    });
  });
}

void log_softmax_fwd(In x, Out y) {
  check_softmax("log_softmax", x, y);
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_groups(x, [&](int64_t at, int64_t rows, int64_t n) {
      std::array<T, kGroup> tops;
      std::vector<T> e(static_cast<size_t>(rows * n));
      const T* in = x.data<T>() + at;
      shift_rows(in, e.data(), tops.data(), rows, n);
      exp_all(e.data(), e.data(), rows * n);
      subtract_log_sum(in, e.data(), tops.data(), y.data<T>() + at, rows, n);
    });
  });
}

void softmax_bwd(In dy, In y, Out dx, Write write) {
  check_softmax("softmax_bwd", dy, y);
  check_softmax("softmax_bwd", dy, dx);
  dispatch_floating(y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_groups(y, [&](int64_t at, int64_t rows, int64_t n) {
      backward_rows<false>(dy.data<T>() + at, y.data<T>() + at, dx.data<T>() + at, rows, n,
                           write == Write::add);
    });
  });
}

void log_softmax_bwd(In dy, In y, Out dx, Write write) {
  check_softmax("log_softmax_bwd", dy, y);
  check_softmax("log_softmax_bwd", dy, dx);
  dispatch_floating(y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_groups(y, [&](int64_t at, int64_t rows, int64_t n) {
      std::vector<T> share(static_cast<size_t>(rows * n));
      exp_all(y.data<T>() + at, share.data(), rows * n);
      backward_rows<true>(dy.data<T>() + at, share.data(), dx.data<T>() + at, rows, n, write == Write::add);
    });
  });
}

}  // namespace vae::kernels::cpu
