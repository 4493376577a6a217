// Bias and activation on CUDA devices: elementwise; the gradient of the bias is summed in the same sweep, by
// parts of the rows, which a second launch adds up in order.
#include "kernels/cuda/reduce.h"
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

/// The same, and its sums over the rows of each part: out[parts, columns], or added to them.
template <class Op, class T, class Sum>
__global__ void backward_tiles(const T* dy, const T* y, T* dx, Sum* out, int64_t rows, int64_t columns,
                               int64_t parts, bool add, Constants<T> k) {
  const int64_t of_part = (rows + parts - 1) / parts;
  for (int64_t part = blockIdx.y; part < parts; part += gridDim.y) {
    const int64_t end = (part + 1) * of_part < rows ? (part + 1) * of_part : rows;
    for (int64_t c0 = int64_t{blockIdx.x} * kTileColumns; c0 < columns; c0 += step_x()) {
      const int64_t c = c0 + threadIdx.x;
      double sum = 0;
      if (c < columns)
        for (int64_t r = part * of_part + threadIdx.y; r < end; r += kTileRows) {
          const int64_t i = r * columns + c;
          const T d = dy[i] * Op::d0(y[i], y[i], k);
          dx[i] = d;
          sum += static_cast<double>(d);
        }
      sum = tile_reduce(sum, Plus{});
      if (threadIdx.y != 0 || c >= columns) continue;
      Sum& to = out[part * columns + c];
      to = static_cast<Sum>((add ? static_cast<double>(to) : 0.0) + sum);
    }
  }
}

/// y[columns] = (add ? y : 0) + the sums of the parts.
template <class T>
__global__ void finish_sums(const double* parts_of, T* y, int64_t parts, int64_t columns, bool add) {
  for (int64_t c0 = int64_t{blockIdx.x} * kTileColumns; c0 < columns; c0 += step_x()) {
    const int64_t c = c0 + threadIdx.x;
    double sum = 0;
    if (c < columns)
      for (int64_t p = threadIdx.y; p < parts; p += kTileRows) sum += parts_of[p * columns + c];
    sum = tile_reduce(sum, Plus{});
    if (threadIdx.y == 0 && c < columns) y[c] = static_cast<T>((add ? static_cast<double>(y[c]) : 0.0) + sum);
  }
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
  const int64_t rows = rows_of(y.shape()), columns = columns_of(y.shape());
  const int64_t given = dbias.defined() ? rows_of(dbias.shape()) : 0,
                parts = given > 1 ? given : bias_parts(y);
  const bool add = write == Write::add;
  const OnDevice gpu(y);
  dispatch_floating(y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T *of_y = y.data<T>(), *of_dy = dy.data<T>();
    const auto k = constants_of<T>(activation.params);
    dispatch_activation(activation, [&]<class Op>(Op) {
      if constexpr (HasSlopeOfValue<Op>) {
        if (!dbias.defined())
          return launch("bias_activation_bwd", backward_elements<Op, T>, gpu.line(y.numel()), of_dy, of_y,
                        dx.data<T>(), y.numel(), k);
        if (parts == given)
          return launch("bias_activation_bwd", backward_tiles<Op, T, T>, gpu.tiles(columns, 1), of_dy, of_y,
                        dx.data<T>(), dbias.data<T>(), rows, columns, parts, add, k);
        const Tensor sums = Tensor::empty({parts, columns}, DType::f64, y.device());
        launch("bias_activation_bwd", backward_tiles<Op, T, double>, gpu.tiles(columns, parts), of_dy, of_y,
               dx.data<T>(), sums.data<double>(), rows, columns, parts, false, k);
        launch("bias_activation_bwd finish", finish_sums<T>, gpu.tiles(columns, 1), sums.data<double>(),
               dbias.data<T>(), parts, columns, add);
      }
    });
  });
}

}  // namespace vae::kernels::VAE_GPU
