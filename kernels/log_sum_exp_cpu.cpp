#include <cmath>

#include "kernels/kernels.h"
#include "kernels/log_sum_exp.h"
#include "tensor/parallel.h"

namespace vae::kernels::cpu {
namespace {

/// Calls body(first, i) for every line of x, elements first + k * inner, and its element i of y.
template <class Body>
void for_lines(Axis axis, const Body& body) {
  parallel_for(axis.outer * axis.inner, std::max<int64_t>(1, 4096 / axis.count),
               [&](int64_t begin, int64_t end) {
                 for (int64_t i = begin; i < end; ++i)
                   body(i / axis.inner * axis.count * axis.inner + i % axis.inner, i);
               });
}

/// Position of the first largest element.
template <class T>
int64_t top_of(const T* x, Axis axis) {
  int64_t top = 0;
  for (int64_t k = 1; k < axis.count; ++k)
    if (x[k * axis.inner] > x[top * axis.inner]) top = k;
  return top;
}

}  // namespace

void log_sum_exp_fwd(In x, Out y, Axis axis, double eps) {
  check_log_sum_exp("log_sum_exp", x, y, axis, eps);
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_lines(axis, [&](int64_t first, int64_t i) {
      const T* line = x.data<T>() + first;
      const T top = line[top_of(line, axis) * axis.inner];
      const T shift = std::isinf(top) ? T(0) : top;
      T total = 0;
      for (int64_t k = 0; k < axis.count; ++k) total += std::exp(line[k * axis.inner] - shift);
      y.data<T>()[i] = shift + std::log(total + static_cast<T>(eps));
    });
  });
}

void log_sum_exp_bwd(In dy, In x, In y, Out dx, Axis axis, double eps, Write write) {
  check_log_sum_exp("log_sum_exp_bwd", x, y, axis, eps);
  check_log_sum_exp("log_sum_exp_bwd", dx, dy, axis, eps);
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_lines(axis, [&](int64_t first, int64_t i) {
      const T *line = x.data<T>() + first, g = dy.data<T>()[i], value = y.data<T>()[i];
      T* out = dx.data<T>() + first;
      const int64_t top = eps > 0 ? top_of(line, axis) : 0;
      for (int64_t k = 0; k < axis.count; ++k) {
        const T share = std::exp(line[k * axis.inner] - value);
        const T gradient = g * (eps > 0 && k == top ? share + static_cast<T>(eps) * share : share);
        T& to = out[k * axis.inner];
        to = write == Write::add ? to + gradient : gradient;
      }
    });
  });
}

}  // namespace vae::kernels::cpu
