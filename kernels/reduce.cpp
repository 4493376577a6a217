#include "kernels/reduce.h"

namespace vae::kernels {

void check_sum(In x, Out y, Axis axis) {
  VAE_CHECK(is_floating(x.dtype()) && (y.dtype() == x.dtype() || y.dtype() == DType::f64), "sum: {} into {}",
            x.str(), y.str());
  VAE_CHECK(x.numel() == axis.outer * axis.count * axis.inner && y.numel() == axis.outer * axis.inner,
            "sum: {} into {} as {} x {} x {}", x.str(), y.str(), axis.outer, axis.count, axis.inner);
}

}  // namespace vae::kernels
