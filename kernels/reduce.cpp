#include "kernels/reduce.h"

#include "kernels/elementwise/map.h"

namespace vae::kernels {

void check_sum(In x, Out y, Axis axis) {
  VAE_CHECK(is_floating(x.dtype()) && (y.dtype() == x.dtype() || y.dtype() == DType::f64), "sum: {} into {}",
            x.str(), y.str());
  VAE_CHECK(x.numel() == axis.outer * axis.count * axis.inner && y.numel() == axis.outer * axis.inner,
            "sum: {} into {} as {} x {} x {}", x.str(), y.str(), axis.outer, axis.count, axis.inner);
}

void check_sum_squares(In x, Out y) {
  VAE_CHECK(is_floating(x.dtype()) && y.dtype() == DType::f64 && y.numel() == 1, "sum_squares: {} into {}",
            x.str(), y.str());
}

void check_argmax(In x, Out y) {
  const int64_t n = columns_of(x.shape());
  VAE_CHECK(is_floating(x.dtype()) && y.dtype() == DType::i64 && n > 0 && y.numel() * n == x.numel(),
            "argmax: {} into {}", x.str(), y.str());
}

}  // namespace vae::kernels
