#include "kernels/log_sum_exp.h"

namespace vae::kernels {

void check_log_sum_exp(const char* kernel, In x, In y, Axis axis, double eps) {
  VAE_CHECK(is_floating(x.dtype()) && y.dtype() == x.dtype() && axis.count > 0 && eps >= 0 &&
                x.numel() == axis.outer * axis.count * axis.inner && y.numel() == axis.outer * axis.inner,
            "{}: {} and {} as {} x {} x {}, eps {}", kernel, x.str(), y.str(), axis.outer, axis.count,
            axis.inner, eps);
}

}  // namespace vae::kernels
