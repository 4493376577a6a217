#include "models/ml_vae/evidence.h"

#include "tensor/communicator.h"

namespace vae::ml_vae {
namespace {

constexpr double kFloor = 1e-6;  // in place of a variance of exactly 0

}  // namespace

Groups make_groups(const Tensor& of_image, int64_t count, DType dtype) {
  const Tensor size = Tensor::empty({count}, dtype, of_image.device());
  kernels::segment_sum({}, of_image, size, kernels::Write::set);
  parallel::current().all_reduce(size);
  return {of_image, size};
}

Gaussian accumulate_evidence(const Gaussian& of_images, const Groups& groups) {
  const auto sum_of_group = [&](const Var& x) {
    return autograd::all_sum(autograd::segment_sum(x, groups.of_image, groups.count()));
  };
  const Var precision = autograd::reciprocal(autograd::exp(of_images.log_var), kFloor);
  // Without images the sums are 0: a precision of 1 in its place makes that group N(0, I).
  const Var var = autograd::reciprocal(sum_of_group(precision), 1);
  return {var * sum_of_group(of_images.mean * precision), autograd::log(var, 0, kFloor)};
}

Gaussian of_members(const Gaussian& of_groups, const Groups& groups) {
  return {autograd::gather_rows(of_groups.mean, groups.of_image),
          autograd::gather_rows(of_groups.log_var, groups.of_image)};
}

}  // namespace vae::ml_vae
