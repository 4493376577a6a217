#include "kernels/segment.h"

#include "kernels/elementwise/map.h"

namespace vae::kernels {

void check_copy_columns(std::span<const ColumnCopy> copies) {
  for (const auto& [x, from, y, to, n, write] : copies) {
    const auto within = [n = n](int64_t first, int64_t columns) {
      return first >= 0 && n >= 0 && first <= columns && n <= columns - first;
    };
    VAE_CHECK(is_floating(y.dtype()) && x.dtype() == y.dtype() && y.dtype() == copies[0].y.dtype() &&
                  rows_of(x.shape()) == rows_of(y.shape()) && within(from, columns_of(x.shape())) &&
                  within(to, columns_of(y.shape())),
              "copy_columns: {} columns from {} of {} to {} of {}", n, from, x.str(), to, y.str());
  }
}

void check_segment_sum(In x, In group, Out y) {
  const bool shapes =
      y.rank() > 0 &&
      (!x.defined() || (x.rank() > 0 && x.size(0) == group.numel() && x.dtype() == y.dtype() &&
                        x.shape().with_leading(1) == y.shape().with_leading(1)));
  VAE_CHECK(shapes && is_floating(y.dtype()) && group.dtype() == DType::i64, "segment_sum: {} by {} into {}",
            x.str(), group.str(), y.str());
}

}  // namespace vae::kernels
