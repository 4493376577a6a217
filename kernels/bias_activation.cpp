#include "kernels/bias_activation.h"

#include <algorithm>

namespace vae::kernels {

void check_bias(const char* kernel, In bias, In y) {
  VAE_CHECK(is_floating(y.dtype()) &&
                (!bias.defined() || (bias.dtype() == y.dtype() && bias.numel() == columns_of(y.shape()))),
            "{}: bias {} for {}", kernel, bias.str(), y.str());
}

void check_bias_activation_bwd(In dy, In y, In dx, In dbias, const Activation& activation) {
  for (const Tensor& gradient : {dy, dx})
    VAE_CHECK(gradient.dtype() == y.dtype() && gradient.shape() == y.shape(),
              "bias_activation_bwd: gradients {} and {} for {}", dy.str(), dx.str(), y.str());
  VAE_CHECK(!dbias.defined() || (dbias.dtype() == y.dtype() && dbias.rank() > 0 &&
                                 columns_of(dbias.shape()) == columns_of(y.shape())),
            "bias_activation_bwd: bias {} for {}", dbias.str(), y.str());
  VAE_CHECK(has_slope_of_value(activation),
            "bias_activation_bwd: the slope of {} does not follow from its value", name_of(activation));
}

int64_t bias_parts(In y) {
  constexpr int64_t kPart = 1024;
  return std::max<int64_t>(1, (rows_of(y.shape()) + kPart - 1) / kPart);
}

}  // namespace vae::kernels
