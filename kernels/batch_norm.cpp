#include "kernels/batch_norm.h"

#include "kernels/elementwise/map.h"

namespace vae::kernels {
namespace {

void check_vectors(const char* kernel, const Tensor& x, std::initializer_list<const Tensor*> vectors) {
  for (const Tensor* v : vectors)
    VAE_CHECK(v->dtype() == x.dtype() && v->numel() == columns_of(x.shape()), "{}: {} beside x {}", kernel,
              v->str(), x.str());
}

}  // namespace

void BatchNormForward::check() const {
  VAE_CHECK(is_floating(x.dtype()) && y.dtype() == x.dtype() && y.numel() == x.numel(),
            "batch_norm: {} into {}", x.str(), y.str());
  check_vectors("batch_norm", x, {&gamma, &beta, &mean, &rstd});
  if (running_mean.defined()) check_vectors("batch_norm", x, {&running_mean, &running_var});
}

void BatchNormBackward::check() const {
  VAE_CHECK(is_floating(x.dtype()) && dy.dtype() == x.dtype() && dy.numel() == x.numel(),
            "batch_norm_bwd: {} for {}", dy.str(), x.str());
  VAE_CHECK(!dx.defined() || (dx.dtype() == x.dtype() && dx.numel() == x.numel()),
            "batch_norm_bwd: {} into {}", x.str(), dx.str());
  check_vectors("batch_norm_bwd", x, {&gamma, &mean, &rstd, &dgamma, &dbeta});
  if (!activation.function) return;
  check_vectors("batch_norm_bwd", x, {&beta});
  VAE_CHECK(y.dtype() == x.dtype() && y.numel() == x.numel(), "batch_norm_bwd: y {} for {}", y.str(),
            x.str());
}

}  // namespace vae::kernels
