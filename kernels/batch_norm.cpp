#include "kernels/batch_norm.h"

#include "kernels/elementwise/map.h"

namespace vae::kernels {
namespace {

void check_vectors(const char* kernel, const Tensor& y, std::initializer_list<const Tensor*> vectors) {
  for (const Tensor* v : vectors)
    VAE_CHECK(v->dtype() == y.dtype() && v->numel() == columns_of(y.shape()), "{}: {} beside {}", kernel,
              v->str(), y.str());
}

/// Whether y is of so many rows as x, and of no more columns.
bool covers(const Tensor& x, const Tensor& y) {
  return y.dtype() == x.dtype() && rows_of(y.shape()) == rows_of(x.shape()) &&
         columns_of(y.shape()) <= columns_of(x.shape());
}

}  // namespace

void BatchNormForward::check() const {
  VAE_CHECK(is_floating(x.dtype()) && covers(x, y), "batch_norm: {} into {}", x.str(), y.str());
  check_vectors("batch_norm", y, {&gamma, &beta, &mean, &rstd});
  if (running_mean.defined()) check_vectors("batch_norm", y, {&running_mean, &running_var});
}

void BatchNormBackward::check() const {
  VAE_CHECK(is_floating(x.dtype()) && covers(x, dy), "batch_norm_bwd: {} for {}", dy.str(), x.str());
  VAE_CHECK(!dx.defined() || (dx.dtype() == x.dtype() && dx.numel() == x.numel()),
            "batch_norm_bwd: {} into {}", x.str(), dx.str());
  check_vectors("batch_norm_bwd", dy, {&gamma, &mean, &rstd, &dgamma, &dbeta});
  if (!activation.function) return;
  check_vectors("batch_norm_bwd", dy, {&beta});
  VAE_CHECK(y.dtype() == x.dtype() && y.numel() == dy.numel(), "batch_norm_bwd: y {} for {}", y.str(),
            dy.str());
}

}  // namespace vae::kernels
