#include "kernels/pool.h"

#include <limits>

namespace vae::kernels {

Sliding pool_sizes(const char* kernel, In x, In y, const Window& window) {
  VAE_CHECK(is_floating(x.dtype()) && y.dtype() == x.dtype() && x.rank() == 4, "{}: {} into {}", kernel,
            x.str(), y.str());
  const Shape output = window.output(kernel, x.shape(), x.size(3));
  VAE_CHECK(y.shape() == output, "{}: {} under window {} is not {}", kernel, x.str(), window.str(), y.str());
  VAE_CHECK(2 * window.h.padding <= window.h.kernel && 2 * window.w.padding <= window.w.kernel,
            "{}: window {}: more than half of it is padding", kernel, window.str());
  return {x.size(0), x.size(1), x.size(2), x.size(3), output[1], output[2], window};
}

Sliding max_pool_sizes(const char* kernel, In x, In y, In index, const Window& window) {
  const Sliding s = pool_sizes(kernel, x, y, window);
  VAE_CHECK(index.dtype() == DType::i32 && index.shape() == y.shape(), "{}: index {} beside {}", kernel,
            index.str(), y.str());
  VAE_CHECK(s.h * s.w <= std::numeric_limits<int32_t>::max(), "{}: images {} are too large", kernel, x.str());
  return s;
}

}  // namespace vae::kernels
