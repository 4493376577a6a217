#include "kernels/reduce.h"

#include "kernels/elementwise/map.h"

namespace vae::kernels {

void check_sum(In x, Out y, Axis axis) {
  VAE_CHECK(is_floating(x.dtype()) && (y.dtype() == x.dtype() || y.dtype() == DType::f64), "sum: {} into {}",
            x.str(), y.str());
  VAE_CHECK(x.numel() == axis.outer * axis.count * axis.inner && y.numel() == axis.outer * axis.inner,
            "sum: {} into {} as {} x {} x {}", x.str(), y.str(), axis.outer, axis.count, axis.inner);
}

void check_column_sums(std::span<const ColumnSum> sums) {
  for (const ColumnSum& s : sums) {
    check_sum(s.x, s.y, s.axis());
    VAE_CHECK(s.x.dtype() == sums[0].x.dtype() && s.y.dtype() == s.x.dtype(), "column_sums: {} into {}",
              s.x.str(), s.y.str());
  }
}

void check_sum_bwd(In dy, In dx, Axis axis) {
  VAE_CHECK(is_floating(dx.dtype()) && dy.dtype() == dx.dtype() &&
                dx.numel() == axis.outer * axis.count * axis.inner && dy.numel() == axis.outer * axis.inner,
            "sum_bwd: {} into {} as {} x {} x {}", dy.str(), dx.str(), axis.outer, axis.count, axis.inner);
}

Spread spread_of(Axis axis) {
  if (axis.inner == 1) return {axis.outer, axis.count, 1, 1, 0};
  return {axis.outer * axis.count, axis.inner, axis.count, axis.inner, 1};
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

int64_t check_top_k(In x, Out values, Out index) {
  const int64_t n = columns_of(x.shape()), k = columns_of(index.shape());
  VAE_CHECK(is_floating(x.dtype()) && values.dtype() == x.dtype() && index.dtype() == DType::i64 && k >= 1 &&
                k <= n && columns_of(values.shape()) == k && rows_of(values.shape()) == rows_of(x.shape()) &&
                rows_of(index.shape()) == rows_of(x.shape()),
            "top_k: {} into {} and {}", x.str(), values.str(), index.str());
  return k;
}

}  // namespace vae::kernels
