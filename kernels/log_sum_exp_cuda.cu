// log(sum e^x) on CUDA devices: along rows (inner = 1) a row of threads to a line, else a thread to a line.
#include <cmath>

#include "kernels/cuda/reduce.h"
#include "kernels/elementwise/formula.h"
#include "kernels/kernels.h"
#include "kernels/log_sum_exp.h"

namespace vae::kernels::VAE_GPU {
namespace {

struct Smaller {
  __device__ int64_t operator()(int64_t a, int64_t b) const { return b < a ? b : a; }
};

/// The lines that a thread walks over, its elements of a line, and what it combines with its neighbours.
template <bool along_rows>
struct Lines {
  __device__ static int64_t first() { return along_rows ? first_y() : first_x(); }
  __device__ static int64_t step() { return along_rows ? step_y() : step_x(); }
  __device__ static int64_t first_element() { return along_rows ? threadIdx.x : 0; }
  __device__ static int64_t element_step() { return along_rows ? blockDim.x : 1; }
  template <class T, class Combine>
  __device__ static T combined(T value, Combine combine) {
    if constexpr (along_rows)
      return row_reduce(value, combine);
    else
      return value;
  }
};

template <class L, class T>
__device__ T top_of(const T* line, Axis axis) {
  T top = line[0];
  for (int64_t k = L::first_element(); k < axis.count; k += L::element_step())
    top = Larger{}(top, line[k * axis.inner]);
  return L::combined(top, Larger{});
}

/// Where line i begins.
__device__ inline int64_t line_start(Axis axis, int64_t i) {
  return i / axis.inner * axis.count * axis.inner + i % axis.inner;
}

template <class L, class T>
__global__ void log_sum_exp_lines(const T* x, T* y, Axis axis, T eps) {
  for (int64_t i = L::first(); i < axis.outer * axis.inner; i += L::step()) {
    const T* line = x + line_start(axis, i);
    const T top = top_of<L>(line, axis), shift = isinf(top) ? T(0) : top;
    T total = 0;
    for (int64_t k = L::first_element(); k < axis.count; k += L::element_step())
      total += detail::exp_of(line[k * axis.inner] - shift);
    total = L::combined(total, Plus{});
    if (L::first_element() == 0) y[i] = shift + detail::log_of(total + eps);
  }
}

template <class L, class T>
__global__ void log_sum_exp_bwd_lines(const T* dy, const T* x, const T* y, T* dx, Axis axis, T eps,
                                      bool add) {
  for (int64_t i = L::first(); i < axis.outer * axis.inner; i += L::step()) {
    const T* line = x + line_start(axis, i);
    int64_t top = axis.count;
    if (eps > T(0)) {
      const T largest = top_of<L>(line, axis);
      for (int64_t k = L::first_element(); k < axis.count; k += L::element_step())
        if (line[k * axis.inner] == largest) top = Smaller{}(top, k);
      top = L::combined(top, Smaller{});
    }
    for (int64_t k = L::first_element(); k < axis.count; k += L::element_step()) {
      const T share = detail::exp_of(line[k * axis.inner] - y[i]);
      const T g = dy[i] * (k == top ? share + eps * share : share);
      T& out = dx[line_start(axis, i) + k * axis.inner];
      out = add ? out + g : g;
    }
  }
}

LaunchConfig lines_of(const OnDevice& gpu, Axis axis) {
  return axis.inner == 1 ? gpu.rows(axis.outer, axis.count) : gpu.line(axis.outer * axis.inner);
}

}  // namespace

void log_sum_exp_fwd(In x, Out y, Axis axis, double eps) {
  check_log_sum_exp("log_sum_exp", x, y, axis, eps);
  const OnDevice gpu(x);
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const auto kernel =
        axis.inner == 1 ? log_sum_exp_lines<Lines<true>, T> : log_sum_exp_lines<Lines<false>, T>;
    launch("log_sum_exp", kernel, lines_of(gpu, axis), x.data<T>(), y.data<T>(), axis, eps);
  });
}

void log_sum_exp_bwd(In dy, In x, In y, Out dx, Axis axis, double eps, Write write) {
  check_log_sum_exp("log_sum_exp_bwd", x, y, axis, eps);
  check_log_sum_exp("log_sum_exp_bwd", dx, dy, axis, eps);
  const OnDevice gpu(x);
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const auto kernel =
        axis.inner == 1 ? log_sum_exp_bwd_lines<Lines<true>, T> : log_sum_exp_bwd_lines<Lines<false>, T>;
    launch("log_sum_exp_bwd", kernel, lines_of(gpu, axis), dy.data<T>(), x.data<T>(), y.data<T>(),
           dx.data<T>(), axis, eps, write == Write::add);
  });
}

}  // namespace vae::kernels::VAE_GPU
