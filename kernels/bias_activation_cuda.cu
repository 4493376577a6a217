// Bias and activation on CUDA devices: elementwise, and the gradient of the bias as a sum of columns.
#include "kernels/cuda/launch.h"
#include "kernels/elementwise/call.h"
#include "kernels/kernels.h"

namespace vae::kernels::VAE_GPU {
namespace {

/// y = f(y + bias); bias may be null.
template <class Op, class T>
__global__ void forward_rows(const T* bias, T* y, int64_t rows, int64_t columns, Constants<T> k) {
  for (int64_t r = first_y(); r < rows; r += step_y())
    for (int64_t c = first_x(); c < columns; c += step_x()) {
      const T x = y[r * columns + c];
      y[r * columns + c] = Op::fwd(bias ? x + bias[c] : x, k);
    }
}

/// dx = dy f'(y)
template <class Op, class T>
__global__ void backward_elements(const T* dy, const T* y, T* dx, int64_t n, Constants<T> k) {
  for (int64_t i = first_x(); i < n; i += step_x()) dx[i] = dy[i] * Op::d0(y[i], y[i], k);
}

}  // namespace

void bias_activation_fwd(In bias, Out y, const Activation& activation) {
  check_bias("bias_activation_fwd", bias, y);
  const int64_t rows = rows_of(y.shape()), columns = columns_of(y.shape());
  const OnDevice gpu(y);
  dispatch_floating(y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    dispatch_activation(activation, [&](auto op) {
      launch("bias_activation_fwd", forward_rows<decltype(op), T>, gpu.plane(rows, columns),
             bias.defined() ? bias.data<T>() : nullptr, y.data<T>(), rows, columns,
             constants_of<T>(activation.params));
    });
  });
}

void bias_activation_bwd(In dy, In y, Out dx, Out dbias, const Activation& activation, Write write) {
  check_bias_activation_bwd(dy, y, dx, dbias, activation);
  {
    const OnDevice gpu(y);
    dispatch_floating(y.dtype(), [&](auto zero) {
      using T = decltype(zero);
      dispatch_activation(activation, [&]<class Op>(Op) {
        if constexpr (HasSlopeOfValue<Op>)
          launch("bias_activation_bwd", backward_elements<Op, T>, gpu.line(y.numel()), dy.data<T>(),
                 y.data<T>(), dx.data<T>(), y.numel(), constants_of<T>(activation.params));
      });
    });
  }
  if (dbias.defined()) sum(dx, dbias, Axis::rows(rows_of(dx.shape()), columns_of(dx.shape())), 1, write);
}

}  // namespace vae::kernels::VAE_GPU
