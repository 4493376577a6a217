#include "nn/eval/rows.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "tensor/parallel.h"

namespace vae::eval {
namespace {

bool all_finite(const Tensor& x) {
  return dispatch_floating(x.dtype(), [&](auto zero) {
    const auto* values = x.data<decltype(zero)>();
    return std::all_of(values, values + x.numel(), [](auto v) { return std::isfinite(v); });
  });
}

}  // namespace

void check_features(const Tensor& features) {
  VAE_CHECK(features.rank() == 2 && is_floating(features.dtype()) && features.device() == kCpu, "features {}",
            features.str());
  if (!all_finite(features)) fail(ErrorKind::data, "a feature is not finite");
}

Tensor rows_f64(const Tensor& features, int64_t begin, int64_t end) {
  std::vector<int64_t> items(static_cast<size_t>(end - begin));
  std::iota(items.begin(), items.end(), begin);
  return rows_f64(features, items);
}

Tensor rows_f64(const Tensor& features, std::span<const int64_t> items) {
  const int64_t d = features.size(1), n = static_cast<int64_t>(items.size());
  const Tensor rows = Tensor::empty({n, d}, DType::f64);
  dispatch_floating(features.dtype(), [&](auto zero) {
    const auto* from = features.data<decltype(zero)>();
    double* to = rows.data<double>();
    parallel_for(n, 64, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) std::copy_n(from + items[r] * d, d, to + r * d);
    });
  });
  return rows;
}

}  // namespace vae::eval
