#include "kernels/softmax.h"

#include "kernels/elementwise/map.h"

namespace vae::kernels {

void check_softmax(const char* kernel, In x, In y) {
  VAE_CHECK(is_floating(x.dtype()) && x.dtype() == y.dtype() && x.numel() == y.numel() &&
                columns_of(x.shape()) == columns_of(y.shape()),
            "{}: {} and {}", kernel, x.str(), y.str());
}

}  // namespace vae::kernels
