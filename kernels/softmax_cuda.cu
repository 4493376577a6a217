// Softmax and log-softmax over the columns of m x n on CUDA devices, shifted by the row's maximum.
#include "kernels/cuda/reduce.h"
#include "kernels/elementwise/formula.h"
#include "kernels/kernels.h"
#include "kernels/softmax.h"

namespace vae::kernels::VAE_GPU {
namespace {

template <bool log_space, class T>
__global__ void softmax_rows(const T* x, T* y, int64_t rows, int64_t columns) {
  for (int64_t r = first_y(); r < rows; r += step_y()) {
    const T* in = x + r * columns;
    T* out = y + r * columns;
    T top = in[0];
    for (int64_t c = threadIdx.x; c < columns; c += blockDim.x) top = Larger{}(top, in[c]);
    top = row_reduce(top, Larger{});
    T total = 0;
    for (int64_t c = threadIdx.x; c < columns; c += blockDim.x) total += detail::exp_of(in[c] - top);
    total = row_reduce(total, Plus{});
    const T shift = top + detail::log_of(total);
    for (int64_t c = threadIdx.x; c < columns; c += blockDim.x)
      out[c] = log_space ? in[c] - shift : detail::exp_of(in[c] - top) / total;
  }
}

/// softmax: y (dy - sum y dy), log-softmax: dy - e^y sum dy.
template <bool log_space, class T>
__global__ void softmax_bwd_rows(const T* dy, const T* y, T* dx, int64_t rows, int64_t columns, bool add) {
  for (int64_t r = first_y(); r < rows; r += step_y()) {
    const int64_t row = r * columns;
    T total = 0;
    for (int64_t c = threadIdx.x; c < columns; c += blockDim.x)
      total += log_space ? dy[row + c] : y[row + c] * dy[row + c];
    total = row_reduce(total, Plus{});
    for (int64_t c = threadIdx.x; c < columns; c += blockDim.x) {
      const int64_t i = row + c;
      const T g = log_space ? dy[i] - detail::exp_of(y[i]) * total : y[i] * (dy[i] - total);
      dx[i] = add ? dx[i] + g : g;
    }
  }
}

template <bool log_space>
void forward(const char* name, In x, Out y) {
  check_softmax(name, x, y);
  if (x.numel() == 0) return;  // an empty row has no maximum
  const int64_t n = columns_of(x.shape()), rows = rows_of(x.shape());
  const OnDevice gpu(x);
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    launch(name, softmax_rows<log_space, T>, gpu.rows(rows, n), x.data<T>(), y.data<T>(), rows, n);
  });
}

template <bool log_space>
void backward(const char* name, In dy, In y, Out dx, Write write) {
  check_softmax(name, dy, y);
  check_softmax(name, dy, dx);
  const int64_t n = columns_of(y.shape()), rows = rows_of(y.shape());
  const OnDevice gpu(y);
  dispatch_floating(y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    launch(name, softmax_bwd_rows<log_space, T>, gpu.rows(rows, n), dy.data<T>(), y.data<T>(), dx.data<T>(),
           rows, n, write == Write::add);
  });
}

}  // namespace

void softmax_fwd(In x, Out y) { forward<false>("softmax", x, y); }
void log_softmax_fwd(In x, Out y) { forward<true>("log_softmax", x, y); }
void softmax_bwd(In dy, In y, Out dx, Write write) { backward<false>("softmax_bwd", dy, y, dx, write); }
void log_softmax_bwd(In dy, In y, Out dx, Write write) {
  backward<true>("log_softmax_bwd", dy, y, dx, write);
}

}  // namespace vae::kernels::VAE_GPU
