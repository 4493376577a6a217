// Bias and activation on the CPU. Threads take parts of the rows, fixed by size alone; columns are summed in
// the element type within a part and in f64 across them, in order.
#include <vector>

#include "kernels/elementwise/call.h"
#include "kernels/kernels.h"
#include "kernels/simd.h"
#include "tensor/parallel.h"

namespace vae::kernels::cpu {
namespace {

/// m x n in wide rows of several narrow ones, so that loops are long; the last may be shorter.
struct WideRows {
  static constexpr int64_t kColumns = 256, kRows = 32;  // of a wide row, at least; of a part, at most
  int64_t numel, n, columns, rows, parts;
  explicit WideRows(In y)
      : numel(y.numel()),
        n(std::max<int64_t>(1, columns_of(y.shape()))),
        columns((kColumns + n - 1) / n * n),
        rows(std::clamp<int64_t>(kColumns * kRows / columns, 1, kRows)),
        parts((numel + rows * columns - 1) / (rows * columns)) {}
  /// Calls body(offset, columns) for the rows of a part.
  template <class Body>
  void for_each(int64_t part, const Body& body) const {
    const int64_t end = std::min(numel, (part + 1) * rows * columns);
    for (int64_t at = part * rows * columns; at < end; at += columns) body(at, std::min(columns, end - at));
  }
};

template <class Op, class T>
VAE_CLONES void forward_row(const T* bias, T* y, int64_t n, Constants<T> k) {
#pragma omp simd
  for (int64_t c = 0; c < n; ++c) y[c] = Op::fwd(y[c] + bias[c], k);
}

/// dx = dy f'(y), added to sum[n].
template <class Op, class T>
VAE_CLONES void backward_row(const T* dy, const T* y, T* dx, T* sum, int64_t n, Constants<T> k) {
#pragma omp simd
  for (int64_t c = 0; c < n; ++c) {
    const T d = dy[c] * Op::d0(y[c], y[c], k);
    dx[c] = d;
    sum[c] += d;
  }
}

/// y = f(y + bias), the bias being 0 where it is undefined.
template <class Op, class T>
void forward(In bias, Out y, Constants<T> k) {
  const WideRows wide(y);
  std::vector<T> repeated(wide.columns);
  for (int64_t c = 0; bias.defined() && c < wide.columns; ++c) repeated[c] = bias.data<T>()[c % wide.n];
  parallel_for(wide.parts, 2, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; ++part)
      wide.for_each(part, [&](int64_t at, int64_t columns) {
        forward_row<Op>(repeated.data(), y.data<T>() + at, columns, k);
      });
  });
}

/// sums[parts, n]: of the columns of each part of dx.
template <class Op, class T>
void backward(const WideRows& wide, In dy, In y, Out dx, std::vector<double>& sums, Constants<T> k) {
  parallel_for(wide.parts, 2, [&](int64_t begin, int64_t end) {
    std::vector<T> sum(wide.columns);
    for (int64_t part = begin; part < end; ++part) {
      std::ranges::fill(sum, T(0));
      wide.for_each(part, [&](int64_t at, int64_t columns) {
        backward_row<Op>(dy.data<T>() + at, y.data<T>() + at, dx.data<T>() + at, sum.data(), columns, k);
      });
      for (int64_t c = 0; c < wide.columns; ++c)
        sums[part * wide.n + c % wide.n] += static_cast<double>(sum[c]);
    }
  });
}

}  // namespace

void bias_activation_fwd(In bias, Out y, const Activation& activation) {
  check_bias("bias_activation_fwd", bias, y);
  dispatch_floating(y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    dispatch_activation(activation,
                        [&]<class Op>(Op) { forward<Op>(bias, y, constants_of<T>(activation.params)); });
  });
}

void bias_activation_bwd(In dy, In y, Out dx, Out dbias, const Activation& activation, Write write) {
  check_bias_activation_bwd(dy, y, dx, dbias, activation);
  const WideRows wide(y);
  std::vector<double> sums(wide.parts * wide.n);
  dispatch_floating(y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    dispatch_activation(activation, [&]<class Op>(Op) {
      if constexpr (HasSlopeOfValue<Op>)
        backward<Op>(wide, dy, y, dx, sums, constants_of<T>(activation.params));
    });
    for (int64_t c = 0; dbias.defined() && c < dbias.numel(); ++c) {
      if (c >= wide.n) {  // all of the sums is in the first of several rows
        if (write == Write::set) dbias.data<T>()[c] = 0;
        continue;
      }
      double total = write == Write::add ? static_cast<double>(dbias.data<T>()[c]) : 0;
      for (int64_t part = 0; part < wide.parts; ++part) total += sums[part * wide.n + c];
      dbias.data<T>()[c] = static_cast<T>(total);
    }
  });
}

}  // namespace vae::kernels::cpu
