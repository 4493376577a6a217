// Softmax and log-softmax over the columns of m x n, shifted by the row's maximum.
#include <cmath>

#include "kernels/kernels.h"
#include "kernels/softmax.h"
#include "tensor/parallel.h"

namespace vae::kernels::cpu {
namespace {

/// Calls body(x_row, y_row, n) for all rows.
template <class T, class Body>
void for_rows(In x, Out y, const Body& body) {
  const int64_t n = columns_of(x.shape()), rows = n ? x.numel() / n : 0;
  parallel_for(rows, std::max<int64_t>(1, 4096 / std::max<int64_t>(n, 1)), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) body(x.data<T>() + r * n, y.data<T>() + r * n, n);
  });
}

template <class T>
T log_sum_exp(const T* x, int64_t n) {
  const T top = *std::max_element(x, x + n);
  T total = 0;
  for (int64_t c = 0; c < n; ++c) total += std::exp(x[c] - top);
  return top + std::log(total);
}

}  // namespace

void softmax_fwd(In x, Out y) {
  check_softmax("softmax", x, y);
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_rows<T>(x, y, [](const T* row, T* out, int64_t n) {
      const T top = *std::max_element(row, row + n);
      T total = 0;
      for (int64_t c = 0; c < n; ++c) total += out[c] = std::exp(row[c] - top);
      for (int64_t c = 0; c < n; ++c) out[c] /= total;
    });
  });
}

void log_softmax_fwd(In x, Out y) {
  check_softmax("log_softmax", x, y);
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_rows<T>(x, y, [](const T* row, T* out, int64_t n) {
      const T shift = log_sum_exp(row, n);
      for (int64_t c = 0; c < n; ++c) out[c] = row[c] - shift;
    });
  });
}

namespace {

/// dx = weight(y) dy - share(y) sum(...): softmax y (dy - sum y dy), log-softmax dy - e^y sum dy.
template <bool log_space>
void backward(const char* name, In dy, In y, Out dx, Write write) {
  check_softmax(name, dy, y);
  check_softmax(name, dy, dx);
  dispatch_floating(y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_rows<T>(dy, dx, [&](const T* g, T* out, int64_t n) {
      const T* value = y.data<T>() + (g - dy.data<T>());
      T total = 0;
      for (int64_t c = 0; c < n; ++c) total += log_space ? g[c] : value[c] * g[c];
      for (int64_t c = 0; c < n; ++c) {
        const T gradient = log_space ? g[c] - std::exp(value[c]) * total : value[c] * (g[c] - total);
        out[c] = write == Write::add ? out[c] + gradient : gradient;
      }
    });
  });
}

}  // namespace

void softmax_bwd(In dy, In y, Out dx, Write write) { backward<false>("softmax_bwd", dy, y, dx, write); }

void log_softmax_bwd(In dy, In y, Out dx, Write write) {
  backward<true>("log_softmax_bwd", dy, y, dx, write);
}

}  // namespace vae::kernels::cpu
